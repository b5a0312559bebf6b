/** GGUF, the files of llama.cpp and Ollama: metadata, tokenizer and quantized tensors in one. */
package io.minimind.weights.gguf;
