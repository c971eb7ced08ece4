"""Labels: label sets S1-S3 (section 4.2), encoding (equation 4), decision (equation 5)."""
