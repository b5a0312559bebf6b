package io.minimind.infer;

import io.minimind.tokenizer.StreamingDecoder;
import io.minimind.tokenizer.Tokenizer;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An answer in the making: chooses a token from the logits that the model computed, turns it into
 * text, and knows when to stop. Where the logits come from is not its concern.
 */
final class Answer {
  private final Decoder decoder;
  private final Sampler sampler;
  private final StreamingDecoder pieces;
  private final StopStrings stops;
  private final int tokens; // of the tokenizer; what is beyond fills the model's matrix up
  private final OptionalInt alternatives;
  private final int promptTokens;
  private final int reusedTokens;
  private final int most;

  private final StringBuilder text = new StringBuilder();
  private final List<TokenLogProbability> logProbabilities = new ArrayList<>();
  private OptionalInt endToken = OptionalInt.empty();
  private Optional<TokenLogProbability> ending = Optional.empty();
  private int[] ids = new int[16];
  private int size;
  private int lastToken;
  private int reported; // log-probabilities that pieces had
  private FinishReason reason; // null until it ended
  private final long startedAt = System.nanoTime();
  private long firstTokenAt;
  private long endedAt;

  /**
   * @param reusedTokens how many tokens of the prompt need not be computed again
   * @param most the most tokens, at least 1
   */
  Answer(
      Decoder decoder,
      Tokenizer tokenizer,
      int[] promptIds,
      int reusedTokens,
      int most,
      GenerationOptions options) {
    this.decoder = decoder;
    this.most = most;
    this.reusedTokens = reusedTokens;
    tokens = tokenizer.vocabularySize();
    sampler = decoder.sampler(promptIds, options, tokens, most);
    pieces = tokenizer.streamingDecoder();
    stops = new StopStrings(options.stopStrings());
    alternatives = options.logProbabilities();
    promptTokens = promptIds.length;
    if (sampler.mustEnd()) {
      end(FinishReason.END_OF_TEXT);
    }
  }

  boolean ended() {
    return reason != null;
  }

  /** The token that the model must see to go on. */
  int lastToken() {
    return lastToken;
  }

  /**
   * Chooses the next token.
   *
   * @param logits [vocabulary]
   * @return the text that became certain, often empty
   */
  String next(FloatBuffer logits) {
    lastToken = sampler.next(logits);
    if (size == 0) {
      firstTokenAt = System.nanoTime();
    }
    if (decoder.endOfText().contains(lastToken)) {
      endToken = OptionalInt.of(lastToken);
      ending = logProbability(logits);
      return end(FinishReason.END_OF_TEXT);
    }
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, 2 * size);
    }
    ids[size++] = lastToken;
    logProbability(logits).ifPresent(logProbabilities::add);
    // One that the tokenizer does not know was forced.
    String piece = lastToken < tokens ? keep(stops.next(pieces.next(lastToken))) : "";
    if (stops.found()) {
      return piece + end(FinishReason.STOP_STRING);
    }
    if (sampler.mustEnd()) {
      return piece + end(FinishReason.END_OF_TEXT);
    }
    return size == most ? piece + end(FinishReason.LENGTH) : piece;
  }

  private Optional<TokenLogProbability> logProbability(FloatBuffer logits) {
    return alternatives.isPresent()
        ? Optional.of(LogProbabilities.of(logits, lastToken, tokens, alternatives.getAsInt()))
        : Optional.empty();
  }

  /**
   * Ends the answer, if it has not ended yet.
   *
   * @return the text that was held back until now
   */
  String end(FinishReason why) {
    if (ended()) {
      return "";
    }
    String rest = keep(stops.next(pieces.finish()) + stops.finish());
    reason = stops.found() ? FinishReason.STOP_STRING : why;
    endedAt = System.nanoTime();
    return rest;
  }

  /** A piece of the answer with what belongs to it. */
  Piece piece(String certain) {
    List<TokenLogProbability> since =
        List.copyOf(logProbabilities.subList(reported, logProbabilities.size()));
    reported = logProbabilities.size();
    return new Piece(certain, since);
  }

  private String keep(String piece) {
    text.append(piece);
    return piece;
  }

  /** The answer so far, or all of it after it ended. */
  Generation generation() {
    long first = firstTokenAt == 0 ? endedAt : firstTokenAt;
    return new Generation(
        text.toString(),
        Arrays.copyOf(ids, size),
        reason,
        promptTokens,
        reusedTokens,
        Duration.ofNanos(first - startedAt),
        Duration.ofNanos(endedAt - first),
        logProbabilities,
        endToken,
        ending);
  }
}
