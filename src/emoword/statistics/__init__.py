"""Statistics: bootstrap over speakers, paired tests, intervals."""
