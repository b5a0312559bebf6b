package io.minimind.infer;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.function.IntPredicate;

/**
 * A model that continues token ids. The weights are shared by all generations, which may run at the
 * same time on several threads; the key and value buffers belong to one generation and are reused
 * by a later one.
 */
public final class Decoder implements AutoCloseable {
  /** Below this, buffers are not made to measure: the next prompt would soon outgrow them. */
  private static final int LEAST_CAPACITY = 256;

  private final Path folder;
  private final OrtSession session;
  private final DecoderShape shape;
  private final int contextLength;
  private final Set<Integer> endOfText;

  private final Deque<DecoderSession> idle = new ArrayDeque<>(); // guarded by this
  private int running; // guarded by this
  private volatile boolean closed; // written under this

  private Decoder(
      Path folder,
      OrtSession session,
      DecoderShape shape,
      int contextLength,
      Set<Integer> endOfText) {
    this.folder = folder;
    this.session = session;
    this.shape = shape;
    this.contextLength = contextLength;
    this.endOfText = endOfText;
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
    return load(folder, threads, Set.of());
  }

  /** {@code endOfText} holds where the configuration names no end-of-text token. */
  static Decoder load(Path folder, int threads, Set<Integer> endOfText) throws IOException {
    if (threads < 1) {
      throw new IllegalArgumentException(
          "The number of threads is " + threads + " but must be at least 1.");
    }
    ModelFolder files = ModelFolder.of(folder);
    Path model = files.file("model.onnx");
    int contextLength = files.contextLength();
    Set<Integer> configured = files.endOfText();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      // Failures arrive as exceptions; the log would only repeat them on the console.
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      OrtSession session = OrtEnvironment.getEnvironment().createSession(model.toString(), options);
      try {
        DecoderShape shape = DecoderShape.of(session, model);
        return new Decoder(
            folder,
            session,
            shape,
            shape.bufferLength() > 0
                ? Math.min(contextLength, shape.bufferLength())
                : contextLength,
            configured.isEmpty() ? endOfText : configured);
      } catch (IOException | OrtException | RuntimeException e) {
        session.close();
        throw e;
      }
    } catch (OrtException e) {
      files.file("model.safetensors");
      // The marks around ONNX Runtime's reason are of use to its developers only.
      String reason = e.getMessage().strip().replaceAll("(?s).*( message:| FAIL :) ", "");
      throw new IOException(
          "The model in "
              + folder
              + " cannot be opened: model.onnx or model.safetensors is damaged, incomplete or of"
              + " another kind (ONNX Runtime says: "
              + reason
              + "); export or download the model again.",
          e);
    }
  }

  /** Number of token ids: every id lies in {@code [0, vocabularySize())}. */
  public int vocabularySize() {
    return shape.vocabularySize();
  }

  /** The most tokens that prompt and answer may have together. */
  public int contextLength() {
    return contextLength;
  }

  /**
   * Continues a prompt.
   *
   * @param promptIds at least one id, fewer than {@link #contextLength}
   * @param options how to choose tokens and when to stop; stop strings have no effect on ids
   * @param onToken takes each new token as soon as it is chosen, the end-of-text token excepted,
   *     and returns whether to go on; it is called on this thread
   * @return why the generation ended
   * @throws IllegalArgumentException if the prompt is empty, too long or holds an unknown id
   * @throws IllegalStateException if the model is closed
   */
  public FinishReason generate(int[] promptIds, GenerationOptions options, IntPredicate onToken) {
    check(promptIds);
    int most = Math.min(options.maxNewTokens(), contextLength - promptIds.length);
    return compute(
        promptIds.length + most,
        text -> {
          Sampler sampler = Sampler.of(options, vocabularySize(), endOfText);
          sampler.see(promptIds);
          int id = sampler.next(text.append(promptIds));
          for (int count = 1; !endOfText.contains(id); count++) {
            if (!onToken.test(id) || closed) {
              return FinishReason.CANCELLED;
            }
            if (sampler.mustEnd()) {
              return FinishReason.END_OF_TEXT;
            }
            if (count == most) {
              return FinishReason.LENGTH;
            }
            id = sampler.next(text.append(id));
          }
          return FinishReason.END_OF_TEXT;
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
          text.append(promptIds).get(logits);
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
          Sampler sampler = Sampler.of(options, vocabularySize(), endOfText);
          sampler.see(promptIds);
          return sampler.probabilities(text.append(promptIds));
        });
  }

  private interface Computation<T> {
    T on(DecoderSession text) throws OrtException;
  }

  private <T> T compute(int length, Computation<T> computation) {
    DecoderSession text = acquire(length);
    try {
      return computation.on(text);
    } catch (OrtException e) {
      throw new IllegalStateException(
          "The model in " + folder + " failed to compute: " + e.getMessage(), e);
    } finally {
      release(text);
    }
  }

  private void check(int[] promptIds) {
    if (promptIds.length == 0) {
      throw new IllegalArgumentException(
          "The prompt is empty; give at least one token, such as the start token <s>.");
    }
    if (promptIds.length >= contextLength) {
      throw new IllegalArgumentException(
          "The prompt has "
              + promptIds.length
              + " tokens, which leaves no room in the model's context of "
              + contextLength
              + "; shorten it to fewer.");
    }
    for (int id : promptIds) {
      if (id < 0 || id >= vocabularySize()) {
        throw new IllegalArgumentException(
            "The prompt holds the token id "
                + id
                + ", but the model's vocabulary ends at "
                + (vocabularySize() - 1)
                + "; use the tokenizer that belongs to the model.");
      }
    }
  }

  private synchronized DecoderSession acquire(int length) {
    if (closed) {
      throw new IllegalStateException("The model in " + folder + " is closed.");
    }
    DecoderSession text = idle.poll();
    if (text != null && text.capacity() < length) {
      text.close();
      text = null;
    }
    if (text == null) {
      text = create(length);
    }
    text.reset();
    running++;
    return text;
  }

  private DecoderSession create(int length) {
    // Doubling lets a growing conversation replace its buffers only a few times.
    int rounded = Math.max(LEAST_CAPACITY, 2 * Integer.highestOneBit(length - 1));
    int capacity =
        shape.bufferLength() > 0 ? shape.bufferLength() : Math.min(contextLength, rounded);
    try {
      return DecoderSession.create(session, shape, capacity);
    } catch (OrtException e) {
      throw new IllegalStateException(
          "The model in " + folder + " has no buffers for " + capacity + " tokens.", e);
    }
  }

  private synchronized void release(DecoderSession text) {
    running--;
    idle.push(text);
    if (closed) {
      free();
    }
  }

  /**
   * Ends generations that still run at their next token and frees the native memory, at the latest
   * when the last of them has ended. Closing again has no effect.
   */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      free();
    }
  }

  private void free() {
    idle.forEach(DecoderSession::close);
    idle.clear();
    if (running == 0) {
      try {
        session.close();
      } catch (OrtException e) {
        throw new IllegalStateException("The model in " + folder + " cannot be closed.", e);
      }
    }
  }
}
