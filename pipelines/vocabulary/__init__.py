"""How people write what metadata hold: words and their forms, names and their aliases, periods of time. English."""
