package io.minimind.tokenizer;

import ai.djl.sentencepiece.jni.LibUtils;
import ai.djl.sentencepiece.jni.SentencePieceLibrary;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Optional;

/**
 * SentencePiece's own library with a model loaded, for encoding. Safe for use by several threads.
 * The model's memory is given back some time after this object became unreachable.
 *
 * <p>This is the one class that touches DJL, whose absence is an error only when it is loaded. It
 * uses DJL's native methods directly: the classes above them report to DJL's makers on some clouds,
 * and what else they offer is not safe. Decoding garbles characters beyond U+FFFF and ends at a
 * zero, and an id out of range ends the process.
 */
final class NativeSentencePiece {

  private static final Cleaner CLEANER = Cleaner.create();
  private static boolean isLibraryLoaded;

  /** Why the library cannot be loaded: Java gives the reason but once. */
  private static Optional<LinkageError> failure = Optional.empty();

  private final long handle;

  private NativeSentencePiece(long handle) {
    this.handle = handle;
    CLEANER.register(this, () -> SentencePieceLibrary.LIB.deleteSentencePieceProcessor(handle));
  }

  /**
   * Loads a model.
   *
   * @param model the contents of a file that {@link SentencePieceModel#toBytes} wrote from verified
   *     data: the library trusts what it loads
   * @throws NoClassDefFoundError if DJL is not there
   * @throws RuntimeException or {@link UnsatisfiedLinkError} if the library cannot be loaded on
   *     this machine or refuses the model
   */
  static NativeSentencePiece load(byte[] model) {
    loadLibrary();
    NativeSentencePiece loaded =
        new NativeSentencePiece(SentencePieceLibrary.LIB.createSentencePieceProcessor());
    SentencePieceLibrary.LIB.loadModelFromBytes(loaded.handle, model);
    return loaded;
  }

  private static synchronized void loadLibrary() {
    if (failure.isPresent()) {
      throw failure.get();
    }
    if (!isLibraryLoaded) {
      try {
        LibUtils.loadLibrary();
      } catch (LinkageError e) {
        failure = Optional.of(e);
        throw e;
      }
      isLibraryLoaded = true;
    }
  }

  /** Encodes a text, which must be well-formed UTF-16. */
  int[] encode(String text) {
    try {
      return SentencePieceLibrary.LIB.encode(handle, text);
    } finally {
      Reference.reachabilityFence(this);
    }
  }
}
