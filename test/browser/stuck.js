// A lane that loops endlessly with its first batch.
import './stuck-kernels.js';
import '/dist/src/standalone/lane.js';
