package io.minimind.infer;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An answer that comes piece by piece; none is empty, and together they are the text of the result.
 * The pieces are computed when they are asked for, on the thread that asks. Of a model with a batch
 * size above 1 that is so for the prompt and the first token only: then the answer is computed
 * together with others on a thread of the model, ahead of the reader, until it ends or is
 * cancelled.
 *
 * <pre>{@code
 * try (TextStream pieces = model.stream("Once", GenerationOptions.defaults())) {
 *   for (String piece : pieces) {
 *     System.out.print(piece);
 *   }
 * }
 * }</pre>
 *
 * <p>One thread may read; any thread may cancel or close. Interrupting the reader cancels an answer
 * that is computed with others, and has no effect on one that is computed alone. An answer that
 * failed fails in the same way whenever it is asked again.
 */
public final class TextStream implements Iterable<String>, AutoCloseable {
  private final Writing writing;
  private final Consumer<Optional<Generation>> onEnd;
  private boolean ended; // guarded by this
  private String next = ""; // empty: not asked for yet; null: no more
  private List<TokenLogProbability> logProbabilities = List.of();

  /**
   * @param onEnd is told the answer, or nothing if it failed
   */
  TextStream(Writing writing, Consumer<Optional<Generation>> onEnd) {
    this.writing = writing;
    this.onEnd = onEnd;
  }

  /**
   * The pieces that are still to come. All iterators of a stream share its place: what one has
   * given, no other gives.
   *
   * @throws IllegalStateException from {@code hasNext} or {@code next} if the model is closed
   *     before the first piece, or computes something that is not a number
   */
  @Override
  public Iterator<String> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        if (next != null && next.isEmpty()) {
          next = read();
        }
        return next != null;
      }

      @Override
      public String next() {
        if (!hasNext()) {
          throw new NoSuchElementException("The answer has ended.");
        }
        String piece = next;
        next = "";
        return piece;
      }
    };
  }

  private String read() {
    try {
      Optional<Piece> piece = writing.next();
      logProbabilities = piece.map(Piece::logProbabilities).orElse(List.of());
      if (piece.isEmpty()) {
        end();
      }
      return piece.map(Piece::text).orElse(null);
    } catch (RuntimeException | Error e) {
      end(Optional::empty);
      throw e;
    }
  }

  private void end() {
    end(() -> Optional.of(writing.result()));
  }

  /** Tells of the end once; who comes to it meanwhile waits until that is done. */
  private synchronized void end(Supplier<Optional<Generation>> answer) {
    if (!ended) {
      ended = true;
      onEnd.accept(answer.get());
    }
  }

  /**
   * How likely the model found the tokens that the last piece brought; empty unless the options
   * asked for it.
   */
  public List<TokenLogProbability> logProbabilities() {
    return logProbabilities;
  }

  /** Ends the answer at its next token; what has been written so far is its result. */
  public void cancel() {
    writing.cancel();
  }

  /** Reads what is left of the answer and gives all of it. */
  public Generation result() {
    return result(piece -> {});
  }

  /** As {@link #result()}, and hands out the pieces that are left. */
  Generation result(Consumer<String> onText) {
    forEach(onText);
    return writing.result();
  }

  /** Cancels the answer and frees its memory. */
  @Override
  public void close() {
    writing.close();
    end();
  }
}
