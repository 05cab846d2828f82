"""The acts of the office, walked once by the people who do them; one module for each desk."""
