/** A lane whose module cannot be loaded. */
throw new TypeError('no such thing');
