"""A process's right to its runs: beats prove it, the self-fence ends it, a drain hands it on."""
