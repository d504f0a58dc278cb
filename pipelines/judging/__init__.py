"""What nobody judged: its share, what it could change, and the judging of it by people."""
