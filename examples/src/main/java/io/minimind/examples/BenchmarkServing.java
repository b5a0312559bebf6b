package io.minimind.examples;

import io.minimind.artifact.ModelFolder;
import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.TemporaryFolder;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.model.ModelConfig;
import io.minimind.model.Parameters;
import io.minimind.model.Precision;
import io.minimind.server.MiniMindServer;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a server costs beside the SDK alone, and what clients gain by being computed together. */
@Command(
    name = "serve",
    description = {
      "Measures what serving a model costs beside the SDK alone, and what several clients at once"
          + " gain.",
      "All take turns, so that whatever else the machine does slows each of them; medians count."
          + " The clients run in the same process, and the server pays for them, too."
    },
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class BenchmarkServing implements Callable<Integer> {

  private static final int CONTEXT = 512;

  /** Of an answer: between the first and the last of them its rate is measured. */
  private static final int FEWEST_TOKENS = 2;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Folder of a model; without it, random weights of --preset.")
  private Path model;

  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      defaultValue = "${sys:minimind.home:-.}/models/minimind-demo",
      description = "Folder with the tokenizer and chat template of random weights.")
  private Path tokenizer;

  @Option(
      names = "--quantize",
      paramLabel = "PRECISION",
      description = "Precision of random weights: ${COMPLETION-CANDIDATES}.")
  private Precision precision = Precision.FLOAT32;

  @Option(names = "--threads", paramLabel = "N", description = "Threads to compute with.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--clients",
      paramLabel = "N",
      split = ",",
      description = "Numbers of clients at once, separated by commas.")
  private List<Integer> clients = List.of(1, 8, 32);

  @Option(names = "--tokens", paramLabel = "N", description = "Tokens of an answer.")
  private int tokens = 64;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description = "Turns of each; as many before them warm up.")
  private int rounds = 20;

  public static void main(String[] args) {
    MiniMind.run(new BenchmarkServing(), args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    int most = Collections.max(clients);
    Numbers.atLeast(1, "--threads", threads);
    Numbers.atLeast(1, "--rounds", rounds);
    Numbers.atLeast(FEWEST_TOKENS, "--tokens", tokens);
    clients.forEach(count -> Numbers.between(1, 1024, "--clients", count));
    try (TemporaryFolder random = TemporaryFolder.create()) {
      Path folder = model == null ? write(random.path()) : model;
      LoadOptions alone = LoadOptions.defaults().withThreads(threads);
      LoadOptions together = MiniMindServer.loadOptions(most).withThreads(threads);
      try (LanguageModel sdk = LanguageModel.load(folder, alone);
          LanguageModel batched = LanguageModel.load(folder, together);
          MiniMindServer server =
              MiniMindServer.builder().model("m", batched).parallel(most).port(0).start()) {
        check(folder, sdk);
        measure(sdk, batched, server);
      }
    }
    return 0;
  }

  /** Random weights with a tokenizer that is there. */
  private Path write(Path folder) throws IOException {
    ModelConfig config = modelOptions.config(Tokenizer.load(tokenizer).vocabularySize(), CONTEXT);
    ModelFolder.writeConfiguration(folder, config, precision, tokenizer);
    ModelFolder.writeDecoder(folder, config, precision, new Parameters(config).start(1));
    return folder;
  }

  private void check(Path folder, LanguageModel sdk) throws InputException {
    if (!sdk.canChat()) {
      throw new InputException(
          "%s has no chat template, so it cannot be asked."
              .formatted(model == null ? tokenizer : folder));
    }
    int room = sdk.contextLength() - ServingClient.LONGEST_QUESTION;
    if (room < FEWEST_TOKENS) {
      throw new InputException(
          "The context of %s has %d tokens, and questions and answers of this measurement need %d: give another --model."
              .formatted(
                  folder, sdk.contextLength(), ServingClient.LONGEST_QUESTION + FEWEST_TOKENS));
    }
    if (tokens > room) {
      throw new ArgumentException(
          "--tokens must be at most %d, because a question has up to %d and the model's context ends at %d, but is %d."
              .formatted(room, ServingClient.LONGEST_QUESTION, sdk.contextLength(), tokens));
    }
  }

  private void measure(LanguageModel sdk, LanguageModel batched, MiniMindServer server)
      throws IOException, InterruptedException {
    ServingClient client =
        new ServingClient(server.uri(), tokens, sdk.tokenizer().specialTokens().values());
    List<ServingSpeed> rows = new ArrayList<>();
    rows.add(new ServingSpeed("SDK", 1, seed -> client.ask(sdk, seed)));
    rows.add(new ServingSpeed("SDK in a batch", 1, seed -> client.ask(batched, seed)));
    for (int count : clients) {
      String name = count == 1 ? "server, 1 client" : "server, %d clients".formatted(count);
      rows.add(new ServingSpeed(name, count, client::ask));
    }
    for (int round = -rounds; round < rounds; round++) {
      for (ServingSpeed row : rows) {
        row.measure(round);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%d threads, %d tokens an answer, medians of %d rounds%n%n%s%n",
        threads,
        tokens,
        rounds,
        ServingSpeed.HEADER);
    rows.forEach(row -> System.out.println(row.against(rows.get(0))));
  }
}
