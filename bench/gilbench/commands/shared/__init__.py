"""What several commands share: types of options, and reading the results that a command line names."""
