"""The file formats of the data sets, each read from bytes that came from the internet: nothing in them is believed."""
