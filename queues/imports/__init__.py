"""What is kept between the steps of an import."""
