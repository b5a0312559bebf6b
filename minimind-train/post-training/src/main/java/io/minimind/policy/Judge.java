package io.minimind.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.files.InputException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Asks a model on an OpenAI-compatible server for a grade from 0 to 10, all answers of a step at
 * once. A key is taken from the environment variable {@value #KEY}.
 */
final class Judge implements Reward {

  static final String KEY = "MINIMIND_JUDGE_KEY";

  private static final Duration CONNECTING = Duration.ofSeconds(10);
  private static final Duration ANSWERING = Duration.ofSeconds(120);
  private static final int TRIES = 3;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final URI completions;
  private final String model;
  private final HttpClient client;

  /**
   * @param server the address under which {@code chat/completions} is
   */
  Judge(URI server, String model) {
    completions = URI.create(server.toString().replaceFirst("/*$", "/chat/completions"));
    this.model = model;
    client = HttpClient.newBuilder().connectTimeout(CONNECTING).build();
  }

  @Override
  public double of(Answer answer) throws IOException {
    return of(List.of(answer))[0];
  }

  @Override
  public double[] of(List<Answer> answers) throws IOException {
    double[] grades = new double[answers.size()];
    List<Integer> left = new ArrayList<>();
    for (int i = 0; i < grades.length; i++) {
      left.add(i);
    }
    Optional<IOException> failure = Optional.empty();
    for (int tries = 0; tries < TRIES && !left.isEmpty(); tries++) {
      List<CompletableFuture<HttpResponse<String>>> asked = new ArrayList<>();
      for (int i : left) {
        asked.add(client.sendAsync(request(answers.get(i)), HttpResponse.BodyHandlers.ofString()));
      }
      List<Integer> failed = new ArrayList<>();
      for (int k = 0; k < asked.size(); k++) {
        try {
          grades[left.get(k)] = grade(response(asked.get(k)));
        } catch (InterruptedIOException e) {
          throw e;
        } catch (IOException e) {
          failed.add(left.get(k));
          failure = Optional.of(e);
        }
      }
      left = failed;
    }
    if (!left.isEmpty()) {
      throw failure.orElseThrow();
    }
    return grades;
  }

  private HttpRequest request(Answer answer) throws IOException {
    ObjectNode body = JSON.createObjectNode().put("model", model);
    body.put("temperature", 0).put("max_tokens", 512).put("stream", false);
    body.putArray("messages").addObject().put("role", "user").put("content", question(answer));
    HttpRequest.Builder request =
        HttpRequest.newBuilder(completions)
            .timeout(ANSWERING)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body)));
    Optional.ofNullable(System.getenv(KEY))
        .ifPresent(key -> request.header("Authorization", "Bearer " + key));
    return request.build();
  }

  private static String question(Answer answer) {
    StringBuilder text =
        new StringBuilder("Grade the last answer of this conversation from 0 (useless) to 10");
    text.append(" (perfect). Write the number alone.\n\n");
    for (Message message : answer.prompt()) {
      text.append(message.role()).append(": ").append(message.content()).append("\n\n");
    }
    text.append("assistant: ").append(answer.said().strip()).append('\n');
    if (answer.expected().isValueNode() && !answer.expected().isNull()) {
      text.append("\nThe right answer is: ").append(answer.expected().asText()).append('\n');
    }
    return text.toString();
  }

  private HttpResponse<String> response(CompletableFuture<HttpResponse<String>> asked)
      throws IOException {
    try {
      return asked.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("Interrupted while waiting for the judge.");
    } catch (ExecutionException e) {
      String reason = e.getCause().getMessage();
      throw new InputException(
          "the judge at %s cannot be asked: %s"
              .formatted(completions, reason == null ? "no connection could be made" : reason),
          e);
    }
  }

  private double grade(HttpResponse<String> response) throws IOException {
    if (response.statusCode() != 200) {
      throw new InputException(
          "the judge at %s answers with status %d".formatted(completions, response.statusCode()));
    }
    JsonNode content;
    try {
      content = JSON.readTree(response.body()).at("/choices/0/message/content");
    } catch (JsonProcessingException e) {
      throw new InputException("the judge at %s gives no JSON".formatted(completions), e);
    }
    return Verified.lastNumber(content.asText())
        .map(BigDecimal::doubleValue)
        .filter(grade -> grade >= 0 && grade <= 10)
        .map(grade -> grade / 10)
        .orElseThrow(
            () ->
                new InputException(
                    "the judge at %s gives no grade from 0 to 10, but \"%s\""
                        .formatted(completions, content.asText())));
  }
}
