"""One page each; run by Streamlit as scripts, independent of one another."""
