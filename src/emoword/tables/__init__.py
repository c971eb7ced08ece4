"""Tables: the paper's six as CSV and LaTeX."""
