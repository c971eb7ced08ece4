"""Statistics: intervals and paired differences over speakers and seeds."""
