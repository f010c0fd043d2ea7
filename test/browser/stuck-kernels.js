// Kernels that never return, the first time in all lanes that share a memory.
const { Instance } = WebAssembly;

WebAssembly.Instance = class {
  constructor(module, imports) {
    const { execute } = new Instance(module, imports).exports;
    const words = new Int32Array(imports.env.memory.buffer);
    this.exports = {
      execute: (descriptor) => {
        while (Atomics.exchange(words, words.length - 1, 1) === 0) Atomics.wait(words, words.length - 1, 1);
        execute(descriptor);
      },
    };
  }
};
