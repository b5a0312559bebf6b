package io.minimind.server;

import io.minimind.chat.Message;
import io.minimind.infer.ChatOptions;
import io.minimind.infer.GenerationOptions;
import io.minimind.infer.LanguageModel;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.ReplyStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What the server costs beside the SDK alone, and what clients gain by being computed together. The
 * two take turns, and medians are printed, because whatever else a machine does makes both slower.
 */
final class ServerBenchmark {
  private static final int END = 2; // forbidden, so that all answers have the same length

  private final LanguageModel model;
  private final URI address;
  private final int tokens;

  private ServerBenchmark(LanguageModel model, URI address, int tokens) {
    this.model = model;
    this.address = address;
    this.tokens = tokens;
  }

  /**
   * @param firstToken seconds
   * @param rate tokens a second after the first
   */
  private record Speed(double firstToken, double rate) {}

  /** Arguments: a model folder, tokens of an answer, number of rounds. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    int tokens = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    try (LanguageModel model = LanguageModel.load(folder, MiniMindServer.loadOptions(32));
        MiniMindServer server =
            MiniMindServer.builder().model("m", model).parallel(32).port(0).start()) {
      new ServerBenchmark(model, server.uri(), tokens).run(rounds);
    }
  }

  private void run(int rounds) throws Exception {
    Speed[] alone = new Speed[rounds];
    Speed[] served = new Speed[rounds];
    for (int i = -rounds / 4; i < rounds; i++) {
      Speed sdk = alone(i);
      Speed http = served(i);
      if (i >= 0) { // the others warm up
        alone[i] = sdk;
        served[i] = http;
      }
    }
    System.out.printf(
        "first token: SDK %.2f ms, server %.2f ms; tokens/s: SDK %.0f, server %.0f (%.1f %%)%n",
        1e3 * median(alone, true),
        1e3 * median(served, true),
        median(alone, false),
        median(served, false),
        100 * median(served, false) / median(alone, false));
    for (int clients : new int[] {1, 8, 32}) {
      System.out.printf("%d clients: %.0f tokens/s in all%n", clients, throughput(clients));
    }
  }

  private static double median(Speed[] speeds, boolean first) {
    double[] values =
        Arrays.stream(speeds).mapToDouble(s -> first ? s.firstToken() : s.rate()).toArray();
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private Speed alone(int seed) {
    ChatOptions options =
        ChatOptions.defaults()
            .withGeneration(
                GenerationOptions.defaults()
                    .withTemperature(1)
                    .withSeed(seed)
                    .withMaxNewTokens(tokens)
                    .withLogitBias(END, -100));
    long start = System.nanoTime();
    long first = 0;
    // Another question each time, so that nothing of it was computed before.
    List<Message> messages = List.of(Message.user(question(seed)));
    try (ReplyStream parts = model.streamReply(messages, options)) {
      for (ReplyPart part : parts) {
        first = first == 0 ? System.nanoTime() : first;
      }
    }
    return speed(start, first);
  }

  private static String question(int seed) {
    return seed + " 你是谁？";
  }

  private Speed speed(long start, long first) {
    return new Speed((first - start) / 1e9, (tokens - 1) / ((System.nanoTime() - first) / 1e9));
  }

  private Speed served(int seed) throws IOException {
    String body =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"temperature\":1,\"seed\":%d,\"max_tokens\":%d,\"logit_bias\":{\"2\":-100},\"stream\":true}"
            .formatted(question(seed), seed, tokens);
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n";
    try (Socket socket = new Socket(address.getHost(), address.getPort())) {
      socket.setTcpNoDelay(true);
      long start = System.nanoTime();
      socket.getOutputStream().write((head + body).getBytes(StandardCharsets.UTF_8));
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      long first = 0;
      for (String line = lines.readLine(); !line.equals("data: [DONE]"); line = lines.readLine()) {
        if (first == 0 && line.contains("\"content\":\"") && !line.contains("\"content\":\"\"")) {
          first = System.nanoTime();
        }
      }
      return speed(start, first);
    }
  }

  private double throughput(int clients) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    try {
      List<Future<Speed>> answers = new ArrayList<>();
      long start = System.nanoTime();
      for (int i = 0; i < clients; i++) {
        int seed = 1000 * clients + i;
        answers.add(threads.submit(() -> served(seed)));
      }
      for (Future<Speed> answer : answers) {
        answer.get();
      }
      return clients * tokens / ((System.nanoTime() - start) / 1e9);
    } finally {
      threads.shutdownNow();
    }
  }
}
