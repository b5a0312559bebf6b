package io.minimind.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.minimind.infer.LanguageModel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A server of the published model, and a plain client. */
final class DemoServer implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();
  static final String NAME = "minimind-demo";

  private final LanguageModel model;
  private final MiniMindServer server;
  private final HttpClient client = HttpClient.newHttpClient();

  private DemoServer(LanguageModel model, MiniMindServer server) {
    this.model = model;
    this.server = server;
  }

  /** The folder of the model in this checkout. */
  static Path folder() {
    Path module = Path.of("").toAbsolutePath();
    return module.resolve("../../models/minimind-demo").normalize();
  }

  static DemoServer start(UnaryOperator<MiniMindServer.Builder> change) throws IOException {
    return start(folder(), 4, change);
  }

  static DemoServer start(Path folder, int parallel, UnaryOperator<MiniMindServer.Builder> change)
      throws IOException {
    LanguageModel model =
        LanguageModel.load(folder, MiniMindServer.loadOptions(parallel).withThreads(1));
    MiniMindServer.Builder builder =
        MiniMindServer.builder().model(NAME, model).port(0).parallel(parallel);
    return new DemoServer(model, change.apply(builder).start());
  }

  LanguageModel model() {
    return model;
  }

  MiniMindServer server() {
    return server;
  }

  URI uri(String path) {
    return server.uri().resolve(path);
  }

  HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofSeconds(60));
  }

  HttpResponse<String> send(HttpRequest request) throws IOException {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  HttpResponse<String> post(String path, String body) throws IOException {
    HttpRequest.BodyPublisher publisher = HttpRequest.BodyPublishers.ofString(body);
    return send(request(path).header("Content-Type", "application/json").POST(publisher).build());
  }

  HttpResponse<String> get(String path) throws IOException {
    return send(request(path).GET().build());
  }

  /** The answer to a request that succeeds. */
  JsonNode ask(String path, String body) throws IOException {
    HttpResponse<String> response = post(path, body);
    if (response.statusCode() != 200) {
      throw new AssertionError(response.statusCode() + " " + response.body());
    }
    return JSON.readTree(response.body());
  }

  /** The data of the events that a request that succeeds is answered with. */
  List<String> events(String path, String body) throws IOException {
    HttpResponse<String> response = post(path, body);
    String type = response.headers().firstValue("content-type").orElse("");
    if (response.statusCode() != 200 || !type.equals("text/event-stream")) {
      throw new AssertionError(response.statusCode() + " " + type + " " + response.body());
    }
    List<String> events = new ArrayList<>();
    for (String line : response.body().split("\n")) {
      if (line.startsWith("data: ")) {
        events.add(line.substring(6));
      }
    }
    return events;
  }

  /** The value of a metric, the sum over its labels. */
  double metric(String name) throws IOException {
    return get("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith(name + "{") || line.startsWith(name + " "))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  static String string(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    server.close();
    model.close();
  }
}
