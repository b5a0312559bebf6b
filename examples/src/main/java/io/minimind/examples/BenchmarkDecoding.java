package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.data.Row;
import io.minimind.data.RowReader;
import io.minimind.data.Rows;
import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.tokenizer.TokenRoles;
import io.minimind.tokenizer.Tokenizer;
import io.minimind.weights.NamedTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How fast a model writes on this machine, and what quantizing it gains and costs. */
@Command(
    name = "decode",
    description = {
      "Measures how fast a model writes, sampling included, in float32 and quantized.",
      "With --data it also shows how well each predicts held-out texts: the perplexity over their"
          + " tokens, those for start and end not counted. Texts longer than the model's context"
          + " are left out."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkDecoding implements Callable<Integer> {

  private static final int DEFAULT_VOCABULARY = 6400;
  private static final int DEFAULT_CONTEXT = 512;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of a float32 model; without it, random weights of --preset.")
  private Path model;

  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--quantize",
      paramLabel = "PRECISION",
      split = ",",
      description = "Which to measure, separated by commas: ${COMPLETION-CANDIDATES}.")
  private List<Precision> precisions = List.of(Precision.values());

  @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--no-spinning",
      description = "Lets threads that wait for work sleep instead of keeping processors busy.")
  private boolean noSpinning;

  @Option(names = "--prompt", paramLabel = "TOKENS", description = "Length of the prompt.")
  private int prompt = 16;

  @Option(names = "--tokens", paramLabel = "N", description = "Tokens to write after it.")
  private int tokens = 256;

  @Option(
      names = "--long-prompt",
      paramLabel = "TOKENS",
      description = "Length of the prompt whose first token is timed.")
  private int longPrompt = 256;

  @Option(names = "--runs", paramLabel = "N", description = "Runs, of which the best counts.")
  private int runs = 5;

  @Option(
      names = "--data",
      paramLabel = "FILE",
      description = "Held-out texts, .csv or .jsonl with the column text, or .txt; needs --model.")
  private Path data;

  @Option(names = "--rows", paramLabel = "N", description = "Texts of --data to predict.")
  private int rows = 500;

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkDecoding(), args);
  }

  @Override
  public Integer call() throws IOException {
    if (data != null && model == null) {
      throw new ArgumentException("--data needs a --model.");
    }
    Numbers.atLeast(1, "--threads", threads);
    Numbers.atLeast(1, "--prompt", prompt);
    Numbers.atLeast(2, "--tokens", tokens);
    Numbers.atLeast(1, "--long-prompt", longPrompt);
    Numbers.atLeast(1, "--runs", runs);
    Numbers.atLeast(1, "--rows", rows);
    ModelConfig config =
        model == null
            ? modelOptions.config(DEFAULT_VOCABULARY, DEFAULT_CONTEXT)
            : ModelConfig.read(model.resolve(ModelFolder.CONFIG));
    int length = Math.max(prompt + tokens, longPrompt + 1);
    if (length > config.maxLength()) {
      throw new ArgumentException(
          "Prompt and answer have %d tokens, but the model's context ends at %d: give fewer."
              .formatted(length, config.maxLength()));
    }
    List<String> texts = data == null ? List.of() : texts(config);
    System.out.printf(
        Locale.ROOT,
        "%,d parameters, %d threads, ONNX Runtime %s; %d + %d tokens, best of %d runs%n%n",
        config.parameterCount(),
        threads,
        DecodingSpeed.runtimeVersion(),
        prompt,
        tokens,
        runs);
    System.out.println(DecodingSpeed.header(longPrompt, data != null));
    for (Precision precision : precisions) {
      try (TemporaryFolder folder = TemporaryFolder.create()) {
        write(folder.path(), config, precision);
        System.gc(); // What a model was made of is no part of the memory that it takes.
        DecodingSpeed speed =
            DecodingSpeed.measure(
                folder.path(),
                LoadOptions.defaults().withThreads(threads).withSpinning(!noSpinning),
                prompt,
                tokens,
                longPrompt,
                runs);
        Optional<Double> perplexity =
            texts.isEmpty()
                ? Optional.empty()
                : Optional.of(Perplexity.of(folder.path(), threads, texts));
        System.out.println(speed.row(precision.toString(), perplexity));
      }
    }
    return 0;
  }

  private void write(Path folder, ModelConfig config, Precision precision) throws IOException {
    List<NamedTensor> weights =
        model == null ? new Parameters(config).start(1) : ModelFolder.weights(model);
    ModelFolder.writeDecoder(folder, config, precision, weights);
    ModelFolder.writeConfig(folder, config, precision);
    if (model != null) {
      copyTokenizer(folder);
    }
  }

  private void copyTokenizer(Path folder) throws IOException {
    Path file = Tokenizer.file(model);
    if (Files.exists(file)) {
      AtomicFile.replace(folder.resolve(file.getFileName()), Files.readAllBytes(file));
    }
  }

  /** The texts with the start token before them, those left out that outgrow the context. */
  private List<String> texts(ModelConfig config) throws IOException {
    Tokenizer tokenizer = Tokenizer.load(model);
    String begin = TokenRoles.load(model, tokenizer).begin().orElse("");
    List<String> texts = new ArrayList<>();
    try (RowReader reader = Rows.of(data).open(List.of(List.of("text")))) {
      Optional<Row> row = reader.next();
      for (; row.isPresent() && texts.size() < rows; row = reader.next()) {
        String text = begin + row.get().cells().get(0);
        int length = tokenizer.encode(text).length;
        if (length > 1 && length <= config.maxLength()) {
          texts.add(text);
        }
      }
    }
    if (texts.isEmpty()) {
      throw new InputException(
          "%s holds no text of at most %d tokens.".formatted(data, config.maxLength()));
    }
    return texts;
  }
}
