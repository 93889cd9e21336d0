"""Work items: raised flags of companies as something to do."""
