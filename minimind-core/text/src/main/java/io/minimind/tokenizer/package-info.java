/**
 * Texts as token ids: {@link io.minimind.tokenizer.Tokenizer} loads and applies those of others,
 * byte-level BPE in plain Java and SentencePiece through its own library, and the trainers learn
 * new ones from a corpus. What could not be done exactly as the library a file comes from does it
 * is refused.
 */
package io.minimind.tokenizer;
