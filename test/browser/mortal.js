// A lane that dies when it is told to.
import '/dist/src/standalone/lane.js';

const channel = new BroadcastChannel('mortal');
channel.onmessage = () => {
  channel.close();
  setTimeout(() => {
    throw new Error('died on purpose');
  });
};
