/** A lane whose thread ends while its module is loaded. */
process.exit(3);
