"""What the test drivers share: values per dtype, memory layouts, comparison, child processes."""
