package io.minimind.examples;

import io.minimind.chat.Message;
import io.minimind.examples.ServingSpeed.Answered;
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
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** Asks the same of the SDK and of a server. No answer ends before it is as long as it may be. */
final class ServingClient {
  /** Tokens that a question takes at most, its chat template included. */
  static final int LONGEST_QUESTION = 64;

  private final URI address;
  private final int tokens;
  private final int[] ends;

  /**
   * @param tokens of an answer
   * @param ends tokens that are not to be written, because they might end one
   */
  ServingClient(URI address, int tokens, Collection<Integer> ends) {
    this.address = address;
    this.tokens = tokens;
    this.ends = ends.stream().mapToInt(Integer::intValue).toArray();
  }

  /** A number before it, so that no answer begins with what was computed for another. */
  private static String question(int seed) {
    return seed + " 你是谁？";
  }

  /** Asks the SDK. */
  Answered ask(LanguageModel model, int seed) {
    GenerationOptions options =
        GenerationOptions.defaults().withTemperature(1).withSeed(seed).withMaxNewTokens(tokens);
    for (int end : ends) {
      options = options.withLogitBias(end, -100);
    }
    long start = System.nanoTime();
    long first = 0;
    List<Message> messages = List.of(Message.user(question(seed)));
    try (ReplyStream parts =
        model.streamReply(messages, ChatOptions.defaults().withGeneration(options))) {
      for (ReplyPart part : parts) {
        first = first == 0 ? System.nanoTime() : first;
      }
    }
    return answered(start, first);
  }

  private Answered answered(long start, long first) {
    return new Answered(tokens, (first - start) / 1e9, (System.nanoTime() - first) / 1e9);
  }

  /** Asks the server, over a connection of its own. */
  Answered ask(int seed) throws IOException {
    byte[] request = request(seed);
    try (Socket socket = new Socket(address.getHost(), address.getPort())) {
      socket.setTcpNoDelay(true);
      long start = System.nanoTime();
      socket.getOutputStream().write(request);
      BufferedReader lines =
          new BufferedReader(
              new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
      long first = 0;
      String line = lines.readLine();
      for (; line != null && !line.equals("data: [DONE]"); line = lines.readLine()) {
        if (first == 0 && line.contains("\"content\":\"") && !line.contains("\"content\":\"\"")) {
          first = System.nanoTime();
        }
      }
      if (line == null || first == 0) {
        throw new IOException("the server gave no whole answer.");
      }
      return answered(start, first);
    }
  }

  private byte[] request(int seed) {
    String bias =
        Arrays.stream(ends)
            .mapToObj(end -> "\"" + end + "\":-100")
            .collect(Collectors.joining(","));
    String body =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],\"temperature\":1,\"seed\":%d,\"max_tokens\":%d,\"logit_bias\":{%s},\"stream\":true}"
            .formatted(question(seed), seed, tokens, bias);
    int length = body.getBytes(StandardCharsets.UTF_8).length;
    return ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(length, body))
        .getBytes(StandardCharsets.UTF_8);
  }
}
