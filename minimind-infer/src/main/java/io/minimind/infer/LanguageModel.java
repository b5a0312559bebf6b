package io.minimind.infer;

import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.files.ArgumentException;
import io.minimind.infer.constraint.Constraints;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * A model that continues text. It does not change, and several threads may generate at the same
 * time.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(Path.of("out/model"))) {
 *   System.out.println(model.generate("Once", GenerationOptions.defaults()).text());
 * }
 * }</pre>
 *
 * <p>A generation repeats with the same prompt, options and seed. In a batch it does so up to the
 * last bits of the logits, whoever else is in the batch.
 */
public final class LanguageModel implements AutoCloseable {
  /** So many answers are computed together when several are asked for at once. */
  private static final int DEFAULT_BATCH = 8;

  private final Path folder;
  private final Decoder decoder;
  private final ModelText modelText;
  private final TextReader reader;
  private final Optional<BatchScheduler> scheduler;
  private final KeptTexts kept;
  private final LoadOptions loadOptions;
  private final LeakGuard guard;
  private Constraints constraints; // null until they are asked for; guarded by this

  private LanguageModel(Path folder, Decoder decoder, ModelText text, LoadOptions options) {
    this.folder = folder;
    this.decoder = decoder;
    modelText = text;
    reader = new TextReader(folder, decoder);
    Optional<BatchScheduler> batch =
        options.batchSize() > 1
            ? Optional.of(BatchScheduler.start(decoder.pool(), options.batchSize()))
            : Optional.empty();
    scheduler = batch;
    loadOptions = options;
    KeptTexts texts = new KeptTexts(decoder.pool(), options.keptTexts());
    kept = texts;
    guard =
        LeakGuard.of(
            this,
            "The model in " + folder,
            () -> {
              decoder.close();
              texts.close();
              batch.ifPresent(BatchScheduler::close);
            });
  }

  /**
   * Loads a model folder, to compute with as many threads as there are processors, up to 8.
   *
   * @param folder holds {@code model.onnx}, {@code model.safetensors}, {@code config.json}, {@code
   *     tokenizer.json} and {@code generation_config.json}; for chats also a chat template
   * @throws IOException if a file is missing or broken
   */
  public static LanguageModel load(Path folder) throws IOException {
    return load(folder, LoadOptions.defaults());
  }

  /**
   * Loads a model folder.
   *
   * @param folder as in {@link #load(Path)}
   * @throws IOException if a file is missing or broken
   * @throws IllegalArgumentException if this machine lacks the execution provider
   */
  public static LanguageModel load(Path folder, LoadOptions options) throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(options, "options");
    return ModelFolder.load(folder, options, () -> load(folder, options, ModelText.read(folder)));
  }

  /**
   * Opens a decoder that lies in memory. Where its weights may change, no texts are kept, whatever
   * the options say, and a chat must not be gone on with after a change.
   *
   * @param folder as in {@link #load(Path)}; graph and weights need not be there and are not read
   * @throws IOException if a file is missing or broken, or the decoder cannot be opened
   * @throws IllegalArgumentException if this machine lacks the execution provider
   */
  public static LanguageModel open(Path folder, DecoderInMemory decoder, LoadOptions options)
      throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(decoder, "decoder");
    Objects.requireNonNull(options, "options");
    LoadOptions used = used(decoder, options);
    return open(
        folder,
        used,
        ModelText.read(folder),
        endOfText -> Decoder.open(folder, decoder, used, endOfText));
  }

  /**
   * Goes on with other weights, of a decoder of the same shape that lies in memory. Nothing else is
   * read or allocated again. It waits for the step that is being computed; texts that are being
   * written go on with the new weights, and texts that were kept are forgotten.
   *
   * @throws IOException if the decoder cannot be opened; the model is closed then
   * @throws IllegalStateException if the model is closed
   */
  public void renew(DecoderInMemory other) throws IOException {
    decoder.renew(folder, other, loadOptions);
    kept.forget();
  }

  /** What other weights have computed is of no use. */
  private static LoadOptions used(DecoderInMemory decoder, LoadOptions options) {
    return decoder.fixed() ? options : options.withKeptTexts(0);
  }

  /**
   * Loads a model that an application carries in a jar.
   *
   * @param name the folder {@code minimind/models/NAME/} on the class path, in which {@code
   *     SHA256SUMS} names the files as {@code sha256sum} does. The first use unpacks it into the
   *     folder that the system property {@code minimind.cache} names, by default {@code
   *     .cache/minimind} in the user's home; later ones find it there.
   * @throws IOException if there is no such model, or a file is missing or broken
   */
  public static LanguageModel fromClasspath(String name) throws IOException {
    return fromClasspath(name, LoadOptions.defaults());
  }

  /**
   * Loads a model that an application carries in a jar.
   *
   * @param name as in {@link #fromClasspath(String)}
   * @throws IOException if there is no such model, or a file is missing or broken
   * @throws IllegalArgumentException if this machine lacks the execution provider
   */
  public static LanguageModel fromClasspath(String name, LoadOptions options) throws IOException {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(options, "options");
    Path unpacked = PackagedModel.unpack(name);
    try {
      return load(unpacked, options);
    } catch (IOException e) {
      throw new IOException(
          "%s The packaged model %s was unpacked into %s; delete that folder to have it unpacked again."
              .formatted(e.getMessage(), name, unpacked),
          e);
    }
  }

  static LanguageModel load(Path folder, LoadOptions options, Tokenizer tokenizer)
      throws IOException {
    return load(folder, options, ModelText.read(folder, tokenizer));
  }

  private static LanguageModel load(Path folder, LoadOptions options, ModelText text)
      throws IOException {
    return open(folder, options, text, endOfText -> Decoder.load(folder, options, endOfText));
  }

  private interface Opening {
    Decoder open(Set<Integer> endOfText) throws IOException;
  }

  private static LanguageModel open(
      Path folder, LoadOptions options, ModelText text, Opening opening) throws IOException {
    Decoder decoder = opening.open(text.end());
    try {
      if (text.tokenizer().vocabularySize() > decoder.vocabularySize()) {
        throw new IOException(
            "The model folder %s mixes two models: tokenizer.json has %d tokens, model.onnx only %d."
                .formatted(folder, text.tokenizer().vocabularySize(), decoder.vocabularySize()));
      }
      return new LanguageModel(folder, decoder, text, options);
    } catch (IOException | RuntimeException | Error e) {
      decoder.close();
      throw e;
    }
  }

  /** Number of token ids: every id lies in {@code [0, vocabularySize())}. */
  public int vocabularySize() {
    return decoder.vocabularySize();
  }

  /** The most tokens that prompt and answer may have together, start token included. */
  public int contextLength() {
    return decoder.contextLength();
  }

  public Tokenizer tokenizer() {
    return modelText.tokenizer();
  }

  /**
   * What makes answers take a form. There is one for each model, made when it is first asked for,
   * so that a schema that comes again is not compiled again.
   *
   * @throws UnsupportedOperationException if the tokenizer does not tell the bytes of its tokens
   */
  public synchronized Constraints constraints() {
    if (constraints == null) {
      constraints = Constraints.of(tokenizer());
    }
    return constraints;
  }

  /** Whether the model can chat: whether its folder has a chat template. */
  public boolean canChat() {
    return modelText.template().isPresent();
  }

  /**
   * Whether the model can be told to think or not to: whether its chat template reads a variable
   * that {@link ChatOptions#withThinking} sets.
   */
  public boolean canThink() {
    return modelText
        .template()
        .map(ChatTemplate::source)
        .filter(ChatOptions::switchesThinking)
        .isPresent();
  }

  /**
   * Continues a text with {@linkplain GenerationOptions#defaults the defaults}, as {@link
   * #generate(String, GenerationOptions)} does.
   */
  public Generation generate(String prompt) {
    return generate(prompt, GenerationOptions.defaults());
  }

  /**
   * Continues a text. It begins with the model's start token, if there is one; a prompt that spells
   * it out gets no second one. Give token ids for a prompt that is taken as it is.
   *
   * @param prompt may be empty if the model has a start token
   * @throws IllegalArgumentException if the prompt is empty and there is no start token, or fills
   *     the context
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(String prompt, GenerationOptions options) {
    return generate(prompt, options, piece -> {});
  }

  /**
   * Continues a text and hands it out as it grows.
   *
   * @param onText takes the next piece, never empty; the pieces join to the text of the result. It
   *     is called on this thread. To stop before the end, use {@link #stream} or {@link #start}.
   * @throws IllegalArgumentException if the prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(String prompt, GenerationOptions options, Consumer<String> onText) {
    return generate(modelText.encode(prompt, "prompt"), options, onText);
  }

  /**
   * Continues a text given as token ids, to which nothing is added.
   *
   * @param promptIds at least one, each in {@code [0, vocabularySize())}
   * @throws IllegalArgumentException if there is no id, one is out of its range, or they fill the
   *     context
   * @throws IllegalStateException if the model is closed
   */
  public Generation generate(int[] promptIds, GenerationOptions options) {
    return generate(promptIds, options, piece -> {});
  }

  /**
   * Continues a text given as token ids, as {@link #generate(int[], GenerationOptions)} does, and
   * hands it out.
   *
   * @param onText as for {@link #generate(String, GenerationOptions, Consumer)}
   */
  public Generation generate(int[] promptIds, GenerationOptions options, Consumer<String> onText) {
    Objects.requireNonNull(onText, "onText");
    try (TextStream pieces = stream(promptIds, options)) {
      return pieces.result(onText);
    }
  }

  /**
   * Continues a text piece by piece, as the pieces are asked for. Close the stream if it is not
   * read to its end.
   *
   * @throws IllegalArgumentException if the prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public TextStream stream(String prompt, GenerationOptions options) {
    return stream(modelText.encode(prompt, "prompt"), options);
  }

  /** Continues a text given as token ids, as {@link #stream(String, GenerationOptions)} does. */
  public TextStream stream(int[] promptIds, GenerationOptions options) {
    return stream(promptIds, options, kept, answer -> {});
  }

  /**
   * @param onEnd is told the answer, or nothing if it failed
   */
  TextStream stream(
      int[] promptIds,
      GenerationOptions options,
      Buffers buffers,
      Consumer<Optional<Generation>> onEnd) {
    Request request = request(promptIds, options, buffers);
    Writing writing =
        scheduler.isPresent()
            ? new BatchedWriting(request, scheduler.get())
            : new SoloWriting(request);
    return new TextStream(writing, onEnd);
  }

  /**
   * How likely the model finds each token of a text, after the tokens before it. The text begins
   * with the model's start token, as for {@link #generate(String, GenerationOptions)}; the first
   * token of all has none before it and is left out.
   *
   * @return one for each token but the first, without alternatives
   * @throws IllegalArgumentException if the text has less than two tokens, or more than the context
   * @throws IllegalStateException if the model is closed, or computes something that is not a
   *     number
   */
  public List<TokenLogProbability> score(String text) {
    return reader.score(modelText.encode(text, "text"));
  }

  /**
   * The perplexity of a text: the inverse of the geometric mean of its tokens' probabilities; at
   * least 1, and the vocabulary's size for a model that knows nothing. Texts and exceptions are as
   * in {@link #score}.
   */
  public double perplexity(String text) {
    return reader.perplexity(modelText.encode(text, "text"));
  }

  /**
   * A text as a vector, so that similar texts point in similar directions: the mean of the hidden
   * states of its tokens, scaled to the length 1.
   *
   * @return as many numbers as the model's layers are wide
   * @throws IllegalArgumentException if the text is empty or has more tokens than the context
   * @throws IllegalStateException if the model is closed, was exported without hidden states, or
   *     computes something that is not a number
   */
  public float[] embed(String text) {
    int[] ids = modelText.encode(text, "text");
    if (text.isEmpty()) {
      throw new ArgumentException("The text to embed is empty; give it at least a word.");
    }
    return reader.embed(ids);
  }

  /**
   * How many numbers a vector of {@link #embed} has.
   *
   * @throws IllegalStateException if the model was exported without hidden states
   */
  public int embeddingDimension() {
    return decoder.hiddenSize();
  }

  /**
   * Begins a conversation without a system prompt.
   *
   * @throws IllegalStateException if the model folder has no chat template
   */
  public Chat chat() {
    return chat(ChatOptions.defaults());
  }

  /**
   * Begins a conversation.
   *
   * @throws IllegalStateException if the model folder has no chat template
   */
  public Chat chat(ChatOptions options) {
    Objects.requireNonNull(options, "options");
    return new Chat(
        this,
        decoder.pool(),
        Conversations.of(this, modelText.requireTemplate(), options),
        options);
  }

  Chat chat(Function<List<Message>, String> template, ChatOptions options) {
    return new Chat(
        this,
        decoder.pool(),
        new Conversations(this, template, ReplyFormat.PLAIN, options),
        options);
  }

  /**
   * Answers a conversation that somebody else keeps. Nothing of it is dropped.
   *
   * @param messages the conversation, at least one message; it follows those of the options
   * @throws ContextLengthException if the conversation fills the context
   * @throws IllegalArgumentException if the options do not fit each other or the model
   * @throws IllegalStateException if the model folder has no chat template, or the model is closed
   */
  public Reply reply(List<Message> messages, ChatOptions options) {
    try (ReplyStream answer = streamReply(messages, options)) {
      return answer.result();
    }
  }

  /**
   * Answers a conversation that somebody else keeps, piece by piece. Close the stream if it is not
   * read to its end.
   *
   * @param messages as for {@link #reply}
   * @throws IllegalArgumentException as for {@link #reply}
   * @throws IllegalStateException if the model folder has no chat template
   */
  public ReplyStream streamReply(List<Message> messages, ChatOptions options) {
    Objects.requireNonNull(messages, "messages");
    Objects.requireNonNull(options, "options");
    Conversations conversations = Conversations.of(this, modelText.requireTemplate(), options);
    List<Message> all = new ArrayList<>();
    options.systemPrompt().map(Message::system).ifPresent(all::add);
    all.addAll(options.messages());
    all.addAll(messages);
    if (all.isEmpty()) {
      throw new ArgumentException("There is no message to answer; give at least one.");
    }
    ConversationEncoder.Prompt prompt = conversations.prompt(all);
    int budget = Math.min(contextLength(), options.tokenBudget().orElse(Integer.MAX_VALUE));
    if (prompt.ids().length >= budget) {
      throw new ContextLengthException(
          "The conversation has %d tokens, which leaves no room for an answer in the %d that there may be; shorten it."
              .formatted(prompt.ids().length, budget));
    }
    int most = budget - prompt.ids().length;
    most = Math.min(conversations.generation().maxNewTokens(), most);
    TextStream answer = stream(prompt.ids(), conversations.generation(prompt, most));
    return new ReplyStream(answer, conversations.parsers(prompt));
  }

  /**
   * Continues a text on a thread of its own, and returns at once.
   *
   * @param onText takes the pieces as they come, on that thread
   * @return waits for the answer, or cancels it
   * @throws IllegalArgumentException if the prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public RunningGeneration start(
      String prompt, GenerationOptions options, Consumer<String> onText) {
    Objects.requireNonNull(onText, "onText");
    return RunningGeneration.start(stream(prompt, options), onText);
  }

  /**
   * Continues several texts. They are computed together, up to 8 or the batch size that the model
   * was loaded with, which takes much less time than one after the other. If one fails, the others
   * are cancelled, and its failure is thrown.
   *
   * @param options for each of them
   * @return the answers in the order of the prompts
   * @throws IllegalArgumentException if a prompt is empty or fills the context
   * @throws IllegalStateException if the model is closed
   */
  public List<Generation> generateAll(List<String> prompts, GenerationOptions options) {
    Objects.requireNonNull(prompts, "prompts");
    return generateAll(
        prompts.stream().map(prompt -> modelText.encode(prompt, "prompt")).toList(),
        number -> options);
  }

  /**
   * Continues several texts given as token ids, to which nothing is added, as {@link
   * #generateAll(List, GenerationOptions)} does. The same prompt may be there several times, with a
   * seed of its own each time.
   *
   * <p>A text that was drawn with a temperature of 1 and no penalty, narrowing or constraint has
   * the probability that its log-probabilities add up to, {@link Generation#ending} included; where
   * the model has more ids than the tokenizer, of which none is drawn, it has that of a text
   * without them.
   *
   * @param options those of each prompt, by its place in the list
   */
  public List<Generation> generateAll(
      List<int[]> promptIds, IntFunction<GenerationOptions> options) {
    try (SharedPrompts prompts = new SharedPrompts(decoder.pool(), kept, promptIds)) {
      List<Request> requests =
          IntStream.range(0, promptIds.size())
              .mapToObj(i -> request(promptIds.get(i), options.apply(i), prompts))
              .toList();
      if (scheduler.isPresent()) {
        return scheduler.get().answerAll(requests);
      }
      int rows = Math.max(1, Math.min(DEFAULT_BATCH, requests.size()));
      try (BatchScheduler batch = BatchScheduler.start(decoder.pool(), rows)) {
        return batch.answerAll(requests);
      }
    }
  }

  private Request request(int[] prompt, GenerationOptions options, Buffers buffers) {
    Objects.requireNonNull(options, "options");
    int[] promptIds =
        Objects.requireNonNull(prompt, "promptIds")
            .clone(); // which nobody can change after the check
    decoder.check(promptIds);
    Sampler.check(options, vocabularySize());
    options.constraint().ifPresent(constraint -> constraint.check(tokenizer()));
    int most = Math.min(options.maxNewTokens(), contextLength() - promptIds.length);
    return new Request(this, decoder, tokenizer(), promptIds, most, options, buffers);
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
