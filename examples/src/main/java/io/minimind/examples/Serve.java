package io.minimind.examples;

import io.minimind.files.ArgumentException;
import io.minimind.files.InputException;
import io.minimind.files.InputFile;
import io.minimind.files.Quoted;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.LoadOptions;
import io.minimind.server.MiniMindServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Serves models over HTTP. */
@Command(
    name = "serve",
    description =
        "Serves models over HTTP to clients of OpenAI, Ollama and Anthropic, with a page to chat"
            + " in.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    showDefaultValues = true)
public final class Serve implements Callable<Integer> {

  @Option(
      names = "--model",
      paramLabel = "[NAME=]DIR",
      required = true,
      description =
          "Folder of a model, or the name of one on the class path; several may be given. Clients"
              + " ask for it by NAME, by default that of the folder.")
  private List<String> models;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "Address to listen at. Only this machine reaches the default; 0.0.0.0 is all.")
  private String host = "127.0.0.1";

  @Option(names = "--port", paramLabel = "N", description = "Port to listen at; 0 is a free one.")
  private int port = 8080;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description =
          "Keys that clients must send, one in a line. The environment variable MINIMIND_API_KEY"
              + " gives one, too.")
  private Path keyFile;

  @Option(
      names = "--cors-origin",
      paramLabel = "ORIGIN",
      description = "Origin of pages of other servers that may ask, such as https://a.example.")
  private List<String> origins = List.of();

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "Answers of a model that are computed together.")
  private int parallel = 8;

  @Option(
      names = "--queue",
      paramLabel = "N",
      description = "Answers of a model that may wait for a place; further ones are refused.")
  private int queue = 64;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute a step of a model (default: the processors, up to 8).",
      showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER)
  private Integer threads;

  @Option(
      names = "--no-spinning",
      description =
          "Lets threads that wait for work sleep. They keep processors busy within a step"
              + " otherwise, which is faster unless other processes want these.")
  private boolean noSpinning;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      description = "How long answers may go on after the server was told to stop.")
  private int grace = 30;

  public static void main(String[] args) {
    MiniMind.run(new Serve(), args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    MiniMindServer.Builder builder = builder();
    Map<String, String> places = places();
    Map<String, LanguageModel> loaded = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, String> place : places.entrySet()) {
        LanguageModel model = load(place.getValue());
        loaded.put(place.getKey(), model);
        builder.model(place.getKey(), model);
      }
      MiniMindServer server = builder.start();
      // The signal's own thread waits until the last answer has come to its end.
      Runtime.getRuntime().addShutdownHook(new Thread(server::close, "minimind-shutdown"));
      System.out.println("Serving " + String.join(", ", loaded.keySet()) + " at " + server.uri());
      System.out.println(
          "A page to chat in is there; /v1 is for clients of OpenAI. Stop with Ctrl-C.");
      server.join();
      return 0;
    } finally {
      loaded.values().forEach(LanguageModel::close);
    }
  }

  /** Where the models are, by their names. */
  private Map<String, String> places() {
    Map<String, String> places = new LinkedHashMap<>();
    for (String given : models) {
      int end = given.indexOf('=');
      String place = given.substring(end + 1);
      String name = end < 0 ? GivenModel.name(place) : given.substring(0, end);
      if (name.isBlank() || places.putIfAbsent(name, place) != null) {
        throw new ArgumentException(
            "--model=%s: the name %s is %s; give it another, such as --model=other=DIR."
                .formatted(given, Quoted.text(name), name.isBlank() ? "empty" : "given twice"));
      }
    }
    return places;
  }

  private MiniMindServer.Builder builder() throws IOException {
    MiniMindServer.Builder builder =
        MiniMindServer.builder()
            .host(host)
            .port(port)
            .parallel(parallel)
            .queue(queue)
            .grace(Duration.ofSeconds(grace));
    origins.forEach(builder::corsOrigin);
    String key = System.getenv("MINIMIND_API_KEY");
    if (key != null && !key.isBlank()) {
      builder.apiKey(key);
    }
    if (keyFile != null) {
      keys(keyFile).forEach(builder::apiKey);
    }
    return builder;
  }

  /** Without a key the server would be open to all, which nobody wants who names a file of keys. */
  private static List<String> keys(Path file) throws IOException {
    List<String> keys =
        InputFile.text(file).lines().map(String::strip).filter(key -> !key.isEmpty()).toList();
    if (keys.isEmpty()) {
      throw new InputException(file + " holds no key: expected one in a line.");
    }
    if (!keys.stream().allMatch(key -> key.matches("\\p{Graph}+"))) {
      throw new InputException(
          file + " holds a key that no header can carry: expected ASCII without spaces.");
    }
    return keys;
  }

  private LanguageModel load(String place) throws IOException {
    LoadOptions options = MiniMindServer.loadOptions(parallel).withSpinning(!noSpinning);
    return GivenModel.load(place, threads == null ? options : options.withThreads(threads));
  }
}
