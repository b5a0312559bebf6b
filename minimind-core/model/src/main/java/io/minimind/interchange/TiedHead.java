package io.minimind.interchange;

import io.minimind.weights.StreamedTensor;
import java.io.IOException;
import java.util.Arrays;

/** Embedding and head, which may be one matrix. */
final class TiedHead {

  private TiedHead() {}

  /**
   * Makes sure that what is stored agrees with what is said.
   *
   * @param tied whether the embedding is the head; then the head may be stored as well, or alone
   * @throws IOException if both are stored and differ
   */
  static void check(TensorSet tensors, boolean tied, String embedding, String head)
      throws IOException {
    if (!tied) {
      return;
    }
    if (!tensors.has(embedding) && tensors.has(head)) {
      tensors.replace(embedding, tensors.peek(head).named(embedding));
    } else if (tensors.has(head) && !equal(tensors.peek(embedding), tensors.peek(head))) {
      throw new IOException(
          "tie_word_embeddings is true, but %s and %s are both stored in %s and differ: programs do not agree which of them counts."
              .formatted(embedding, head, tensors.source()));
    }
    tensors.ignore(name -> name.equals(head));
  }

  private static boolean equal(StreamedTensor one, StreamedTensor other) throws IOException {
    if (!one.shape().equals(other.shape())) {
      return false;
    }
    boolean[] equal = {true};
    long[] first = {0};
    float[][] compared = {{}};
    one.forEachPiece(
        (values, count) -> {
          if (equal[0]) {
            compared[0] = compared[0].length < count ? new float[count] : compared[0];
            other.values().read(first[0], compared[0], 0, count);
            equal[0] = Arrays.equals(values, 0, count, compared[0], 0, count);
            first[0] += count;
          }
        });
    return equal[0];
  }
}
