package io.minimind.infer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An answer in a conversation that comes piece by piece, as a {@link TextStream} does: reasoning
 * and text as they are written, and calls of tools when they are complete.
 *
 * <pre>{@code
 * try (ReplyStream parts = chat.stream("What is the longest river?")) {
 *   for (ReplyPart part : parts) {
 *     if (part instanceof ReplyPart.Text text) {
 *       System.out.print(text.text());
 *     }
 *   }
 * }
 * }</pre>
 *
 * <p>One thread may read; any thread may cancel or close.
 */
public final class ReplyStream implements Iterable<ReplyPart>, AutoCloseable {
  private final TextStream pieces;
  private final Iterator<String> text;
  private final Supplier<ReplyParser> parsers;
  private final ReplyParser parser;
  private final Queue<ReplyPart> parts = new ArrayDeque<>();
  private final List<TokenLogProbability> arrived = new ArrayList<>();
  private List<TokenLogProbability> logProbabilities = List.of();
  private boolean finished;

  /**
   * @param parsers gives parsers of this answer, all with the same ids for its calls
   */
  ReplyStream(TextStream pieces, Supplier<ReplyParser> parsers) {
    this.pieces = pieces;
    this.parsers = parsers;
    text = pieces.iterator();
    parser = parsers.get();
  }

  /**
   * The parts that are still to come. All iterators of a stream share its place: what one has
   * given, no other gives. They fail as those of a {@link TextStream} do.
   */
  @Override
  public Iterator<ReplyPart> iterator() {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        read();
        return !parts.isEmpty();
      }

      @Override
      public ReplyPart next() {
        if (!hasNext()) {
          throw new NoSuchElementException("The answer has ended.");
        }
        logProbabilities = List.copyOf(arrived);
        arrived.clear();
        return parts.remove();
      }
    };
  }

  private void read() {
    while (parts.isEmpty() && !finished) {
      if (text.hasNext()) {
        parts.addAll(parser.next(text.next()));
        arrived.addAll(pieces.logProbabilities());
      } else {
        finished = true;
        parts.addAll(parser.finish());
      }
    }
  }

  /**
   * How likely the model found the tokens that the last part brought; empty unless the options
   * asked for it.
   */
  public List<TokenLogProbability> logProbabilities() {
    return logProbabilities;
  }

  /** Ends the answer at its next token; what has been written so far is its result. */
  public void cancel() {
    pieces.cancel();
  }

  /** Reads what is left of the answer and gives all of it. */
  public Reply result() {
    return result(part -> {});
  }

  /** As {@link #result()}, and hands out the parts that are left. */
  Reply result(Consumer<ReplyPart> onPart) {
    forEach(onPart);
    return reply(pieces.result());
  }

  private Reply reply(Generation generation) {
    return new Reply(parsers.get().message(generation.text()), generation);
  }

  /** Cancels the answer and frees its memory. */
  @Override
  public void close() {
    pieces.close();
  }
}
