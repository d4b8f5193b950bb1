"""Which files of an export are films, and which film of a study is the frontal one."""
