"""What recorded generations cost, how fast they came, how they ended, and whether a vendor's bill agrees."""
