/** A lane whose module never finishes loading. */
await new Promise(() => {
  setInterval(() => {}, 1_000);
});
