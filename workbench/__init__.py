"""The browser UI: widgets and layout. All computing is behind `pipelines.api`."""
