package io.minimind.infer;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.minimind.files.ArgumentException;
import io.minimind.files.DecoderNames;
import io.minimind.files.ModelFiles;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

/**
 * A model that continues token ids. The weights are shared by all generations, which may run at the
 * same time on several threads; the key and value buffers belong to one generation and are reused
 * by a later one.
 */
public final class Decoder implements AutoCloseable {
  private final DecoderPool pool;
  private final Set<Integer> endOfText;
  private final LeakGuard guard;

  private Decoder(DecoderPool pool, Path folder, Set<Integer> endOfText) {
    this.pool = pool;
    this.endOfText = endOfText;
    guard = LeakGuard.of(this, "The model in " + folder, pool::close);
  }

  /**
   * Loads {@code model.onnx} with the weights it refers to, {@code config.json} and, for the
   * end-of-text token, {@code generation_config.json}.
   *
   * @param folder the model folder
   * @param threads threads that compute one step, at least 1
   * @throws IOException if a file is missing or broken
   */
  public static Decoder load(Path folder, int threads) throws IOException {
    return load(folder, LoadOptions.defaults().withThreads(threads));
  }

  /**
   * The same with other options, of which those for several generations have no effect.
   *
   * @throws IOException if a file is missing or broken
   */
  public static Decoder load(Path folder, LoadOptions options) throws IOException {
    return ModelFolder.load(folder, options, () -> load(folder, options, Set.of()));
  }

  /**
   * @param more tokens that end a text besides those of the configuration
   */
  static Decoder load(Path folder, LoadOptions settings, Set<Integer> more) throws IOException {
    ModelFolder files = ModelFolder.of(folder);
    Path model = files.file(ModelFiles.DECODER);
    try {
      return of(files, model, GraphSession.open(files, settings), more);
    } catch (OrtException e) {
      throw new IOException(
          "The model in "
              + folder
              + " cannot be opened: model.onnx or model.safetensors is damaged, incomplete or of"
              + " another kind (ONNX Runtime says: "
              + DecoderPool.reason(e)
              + "); export or download the model again.",
          e);
    }
  }

  /** Of the folder, only the configuration is read. */
  static Decoder open(Path folder, DecoderInMemory model, LoadOptions settings, Set<Integer> more)
      throws IOException {
    ModelFolder files = ModelFolder.of(folder);
    try {
      return of(files, folder, GraphSession.open(model, settings), more);
    } catch (OrtException e) {
      throw misfit(folder, e);
    }
  }

  private static IOException misfit(Path folder, OrtException e) {
    return new IOException(
        "The decoder for %s that lies in memory cannot be opened: its graph does not fit its weights (ONNX Runtime says: %s)."
            .formatted(folder, DecoderPool.reason(e)),
        e);
  }

  /** Goes on with another state of the model in memory. */
  void renew(Path folder, DecoderInMemory model, LoadOptions settings) throws IOException {
    try {
      pool.renew(() -> GraphSession.open(model, settings));
    } catch (OrtException e) {
      throw misfit(folder, e);
    }
  }

  /**
   * @param model what messages name
   * @param graph closed if there is no decoder of it
   */
  private static Decoder of(ModelFolder files, Path model, GraphSession graph, Set<Integer> more)
      throws IOException, OrtException {
    try {
      int contextLength = files.contextLength();
      Set<Integer> endOfText = new TreeSet<>(files.endOfText());
      endOfText.addAll(more);
      DecoderShape shape = DecoderShape.of(graph.session(), model);
      checkContext(graph, files.path(), contextLength);
      int longest =
          shape.bufferLength() > 0 ? Math.min(contextLength, shape.bufferLength()) : contextLength;
      return new Decoder(
          new DecoderPool(files.path(), graph, shape, longest),
          files.path(),
          known(endOfText, shape.vocabularySize()));
    } catch (IOException | OrtException | RuntimeException | Error e) {
      graph.close();
      throw e;
    }
  }

  /** A graph must know all of the positions that the configuration promises. */
  private static void checkContext(GraphSession graph, Path folder, int contextLength)
      throws IOException, OrtException {
    Optional<String> told =
        graph.session().getMetadata().getCustomMetadataValue(DecoderNames.CONTEXT_LENGTH);
    long known = graph.positions();
    if (told.isPresent() && told.get().matches("\\d{1,18}")) {
      known = Math.min(known, Long.parseLong(told.get()));
    }
    if (contextLength > known) {
      throw new IOException(
          "The model folder %s mixes two models: config.json gives max_position_embeddings as %d, but model.onnx knows %d positions; export or download the model again."
              .formatted(folder, contextLength, known));
    }
  }

  /** Configurations carry ids that the model lacks, such as -1 for none. */
  private static Set<Integer> known(Set<Integer> ids, int vocabularySize) {
    return ids.stream().filter(id -> id >= 0 && id < vocabularySize).collect(Collectors.toSet());
  }

  /** Number of token ids: every id lies in {@code [0, vocabularySize())}. */
  public int vocabularySize() {
    return pool.shape().vocabularySize();
  }

  /** The most tokens that prompt and answer may have together. */
  public int contextLength() {
    return pool.contextLength();
  }

  /**
   * Continues a prompt.
   *
   * @param promptIds at least one id, fewer than {@link #contextLength}
   * @param options how to choose tokens and when to stop; stop strings have no effect on ids
   * @param onToken takes each new token as soon as it is chosen, the end-of-text token excepted; it
   *     is called on this thread, and what it throws ends the generation
   * @return why the generation ended
   * @throws IllegalArgumentException if the prompt is empty, too long or holds an unknown id
   * @throws IllegalStateException if the model is closed
   */
  public FinishReason generate(int[] promptIds, GenerationOptions options, IntConsumer onToken) {
    check(promptIds);
    int most = Math.min(options.maxNewTokens(), contextLength() - promptIds.length);
    Sampler sampler = sampler(promptIds, options, vocabularySize(), most);
    return compute(
        promptIds.length + Math.min(most, DecoderPool.LEAST_CAPACITY),
        text -> {
          int[] next = promptIds;
          int[] one = new int[1];
          for (int count = 0; count < most; count++) {
            if (sampler.mustEnd()) {
              return FinishReason.END_OF_TEXT;
            }
            try {
              one[0] = sampler.next(pool.append(text, next));
            } catch (ClosedModelException e) {
              return FinishReason.CANCELLED;
            }
            next = one;
            if (endOfText.contains(one[0])) {
              return FinishReason.END_OF_TEXT;
            }
            onToken.accept(one[0]);
          }
          return FinishReason.LENGTH;
        });
  }

  /**
   * The logits of the token that follows a prompt, as the model computes them.
   *
   * @param promptIds as in {@link #generate}
   * @return [vocabulary]
   * @throws IllegalArgumentException if the prompt is empty, too long or holds an unknown id
   * @throws IllegalStateException if the model is closed
   */
  public float[] nextTokenLogits(int[] promptIds) {
    check(promptIds);
    return compute(
        promptIds.length,
        text -> {
          float[] logits = new float[vocabularySize()];
          pool.append(text, promptIds).get(logits);
          return logits;
        });
  }

  /**
   * How likely {@link #generate} is to choose each token after a prompt.
   *
   * @param promptIds as in {@link #generate}
   * @param options how to choose; with a temperature of 0 one token has the probability 1
   * @return [vocabulary], with the sum 1
   * @throws IllegalArgumentException if the prompt is empty, too long or holds an unknown id
   * @throws IllegalStateException if the model is closed
   */
  public double[] nextTokenProbabilities(int[] promptIds, GenerationOptions options) {
    check(promptIds);
    return compute(
        promptIds.length,
        text -> {
          Sampler sampler = sampler(promptIds, options, vocabularySize(), options.maxNewTokens());
          return sampler.probabilities(pool.append(text, promptIds));
        });
  }

  /** What to do with a whole text. */
  interface Reading {
    void read(OrtSession runtime, DecoderSession text) throws OrtException;
  }

  /**
   * @throws IllegalArgumentException if there are more ids than the context has room for
   */
  void read(int[] ids, Reading reading) {
    if (ids.length > contextLength()) {
      throw new ContextLengthException(
          "The text has "
              + ids.length
              + " tokens but the model's context has room for "
              + contextLength()
              + "; shorten it, or cut it into parts.");
    }
    compute(
        ids.length,
        text ->
            pool.compute(
                session -> {
                  reading.read(session, text);
                  return text;
                }));
  }

  /** Numbers in a hidden state. */
  int hiddenSize() {
    if (pool.shape().hiddenSize() == 0) {
      throw new IllegalStateException(
          "The model was exported without hidden states, so it gives no embeddings; export it"
              + " again.");
    }
    return pool.shape().hiddenSize();
  }

  private <T> T compute(int length, Function<DecoderSession, T> computation) {
    DecoderSession text = pool.acquire(length);
    try {
      return computation.apply(text);
    } finally {
      pool.release(text);
      Reference.reachabilityFence(this);
    }
  }

  /**
   * A sampler that has seen the prompt.
   *
   * @param tokens how many of the vocabulary may be chosen
   */
  Sampler sampler(int[] promptIds, GenerationOptions options, int tokens, int most) {
    Sampler sampler = Sampler.of(options, vocabularySize(), tokens, endOfText, most);
    sampler.see(promptIds);
    return sampler;
  }

  /**
   * @throws IllegalArgumentException if the prompt is empty, too long or holds an unknown id
   */
  void check(int[] promptIds) {
    if (promptIds.length == 0) {
      throw new ArgumentException(
          "The prompt is empty; give at least one token, such as one that begins a text.");
    }
    if (promptIds.length >= contextLength()) {
      throw new ContextLengthException(
          "The prompt has "
              + promptIds.length
              + " tokens, which leaves no room in the model's context of "
              + contextLength()
              + "; shorten it to fewer.");
    }
    for (int id : promptIds) {
      if (id < 0 || id >= vocabularySize()) {
        throw new ArgumentException(
            "The prompt holds the token id "
                + id
                + ", but the model's vocabulary ends at "
                + (vocabularySize() - 1)
                + "; use the tokenizer that belongs to the model.");
      }
    }
  }

  DecoderPool pool() {
    return pool;
  }

  Set<Integer> endOfText() {
    return endOfText;
  }

  /**
   * Ends generations that still run, after the step that is being computed, and frees the native
   * memory. Closing again has no effect.
   */
  @Override
  public void close() {
    guard.close();
  }
}
