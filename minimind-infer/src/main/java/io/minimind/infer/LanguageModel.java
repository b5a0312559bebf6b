package io.minimind.infer;

import io.minimind.tokenizer.StreamingDecoder;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/**
 * A model that continues text. It is immutable, and several threads may generate at the same time.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(Path.of("out/model"))) {
 *   System.out.println(model.generate("<s>Once", GenerationOptions.defaults()).text());
 * }
 * }</pre>
 */
public final class LanguageModel implements AutoCloseable {
  /** A step of a small model is too short for more threads than this to help. */
  private static final int MOST_DEFAULT_THREADS = 8;

  private final Decoder decoder;
  private final Tokenizer tokenizer;

  private LanguageModel(Decoder decoder, Tokenizer tokenizer) {
    this.decoder = decoder;
    this.tokenizer = tokenizer;
  }

  /**
   * Loads a model folder, to compute with as many threads as there are processors, up to 8.
   *
   * @param folder holds {@code model.onnx}, {@code model.safetensors}, {@code config.json}, {@code
   *     tokenizer.json} and {@code generation_config.json}
   * @throws IOException if a file is missing or broken
   */
  public static LanguageModel load(Path folder) throws IOException {
    return load(folder, Math.min(MOST_DEFAULT_THREADS, Runtime.getRuntime().availableProcessors()));
  }

  /**
   * Loads a model folder.
   *
   * @param folder as in {@link #load(Path)}
   * @param threads threads that compute one step, at least 1
   * @throws IOException if a file is missing or broken
   */
  public static LanguageModel load(Path folder, int threads) throws IOException {
    Path file = ModelFolder.of(folder).file("tokenizer.json");
    return load(folder, threads, Tokenizer.load(file));
  }

  static LanguageModel load(Path folder, int threads, Tokenizer tokenizer) throws IOException {
    OptionalInt end = tokenizer.tokenId("</s>");
    Decoder decoder =
        Decoder.load(folder, threads, end.isPresent() ? Set.of(end.getAsInt()) : Set.of());
    if (tokenizer.vocabularySize() > decoder.vocabularySize()) {
      decoder.close();
      throw new IOException(
          "The model folder %s mixes two models: tokenizer.json has %d tokens, model.onnx only %d."
              .formatted(folder, tokenizer.vocabularySize(), decoder.vocabularySize()));
    }
    return new LanguageModel(decoder, tokenizer);
  }

  /** Number of token ids: every id lies in {@code [0, vocabularySize())}. */
  public int vocabularySize() {
    return decoder.vocabularySize();
  }

  /** The most tokens that prompt and answer may have together. */
  public int contextLength() {
    return decoder.contextLength();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /**
   * Continues a text. Nothing is added to the prompt; a model trained on texts that begin with
   * {@code <s>} expects it there.
   *
   * @throws IllegalArgumentException if the prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(String prompt, GenerationOptions options) {
    return generate(prompt, options, piece -> true);
  }

  /**
   * Continues a text and hands it out as it grows.
   *
   * @param onText takes the next piece, never empty, and returns whether to go on; the pieces join
   *     to the text of the result
   * @throws IllegalArgumentException if the prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(String prompt, GenerationOptions options, Predicate<String> onText) {
    if (prompt.isEmpty()) {
      throw new IllegalArgumentException(
          "The prompt is empty; give it some text, or the start token <s> alone.");
    }
    return generate(tokenizer.encode(prompt), options, onText);
  }

  /**
   * Continues a text given as token ids, as {@link #generate(String, GenerationOptions, Predicate)}
   * does.
   */
  public Generation generate(int[] promptIds, GenerationOptions options, Predicate<String> onText) {
    long start = System.nanoTime();
    Transcript transcript = new Transcript(tokenizer.streamingDecoder(), onText);
    FinishReason reason = decoder.generate(promptIds, options, transcript);
    transcript.end(reason);
    long end = System.nanoTime();
    long first = transcript.ids.isEmpty() ? end : transcript.firstTokenAt;
    return new Generation(
        transcript.text.toString(),
        transcript.ids.stream().mapToInt(Integer::intValue).toArray(),
        reason,
        promptIds.length,
        Duration.ofNanos(first - start),
        Duration.ofNanos(end - first));
  }

  /** Frees the native memory, once generations that still run have stopped at their next token. */
  @Override
  public void close() {
    decoder.close();
  }

  /** Turns new tokens into pieces of text and keeps both. */
  private static final class Transcript implements IntPredicate {
    private final StreamingDecoder pieces;
    private final Predicate<String> onText;
    private final List<Integer> ids = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private long firstTokenAt;

    Transcript(StreamingDecoder pieces, Predicate<String> onText) {
      this.pieces = pieces;
      this.onText = onText;
    }

    @Override
    public boolean test(int id) {
      if (ids.isEmpty()) {
        firstTokenAt = System.nanoTime();
      }
      ids.add(id);
      String piece = pieces.next(id);
      text.append(piece);
      return piece.isEmpty() || onText.test(piece);
    }

    /** A listener that asked to stop is not called again, even if half a character was left. */
    void end(FinishReason reason) {
      String piece = pieces.finish();
      text.append(piece);
      if (!piece.isEmpty() && reason != FinishReason.CANCELLED) {
        onText.test(piece);
      }
    }
  }
}
