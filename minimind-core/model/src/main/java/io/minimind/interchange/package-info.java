/**
 * Models of other projects, in and out: folders of transformers, MiniMind's own files, GGUF,
 * adapters of PEFT. Whatever is not understood is refused by name, never computed wrong.
 */
package io.minimind.interchange;
