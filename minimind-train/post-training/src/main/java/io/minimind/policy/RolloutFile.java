package io.minimind.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.Message;
import io.minimind.files.AtomicFile;
import io.minimind.files.InputFile;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/**
 * Keeps {@code rollouts.jsonl} in the folder of a run, for people to read: of each batch the first
 * prompt, its answers and what they were worth, a JSON object per line.
 */
final class RolloutFile {

  private static final String NAME = "rollouts.jsonl";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;

  private RolloutFile(Path file) {
    this.file = file;
  }

  /** Goes on from a batch: lines from there on are dropped, because they will come again. */
  static RolloutFile open(Path folder, int epoch, long batch) throws IOException {
    Path file = folder.resolve(NAME);
    if (Files.exists(file)) {
      StringBuilder kept = new StringBuilder();
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(InputFile.open(file), StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (isBefore(line, epoch, batch)) {
            kept.append(line).append('\n');
          }
        }
      }
      AtomicFile.replace(file, kept.toString().getBytes(StandardCharsets.UTF_8));
    }
    return new RolloutFile(file);
  }

  private static boolean isBefore(String line, int epoch, long batch) {
    try {
      JsonNode object = JSON.readTree(line);
      int ofEpoch = object.path("epoch").asInt();
      return ofEpoch < epoch || ofEpoch == epoch && object.path("batch").asLong() < batch;
    } catch (JsonProcessingException e) {
      return false; // A process that was killed left it unfinished.
    }
  }

  void append(int epoch, long batch, List<Rollout> answers, double[] rewards) throws IOException {
    ObjectNode line = JSON.createObjectNode().put("epoch", epoch).put("batch", batch);
    List<Message> prompt = answers.get(0).answer().prompt();
    line.put("prompt", prompt.get(prompt.size() - 1).content());
    line.set("expected", answers.get(0).answer().expected());
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i).answer();
      line.withArray("answers")
          .addObject()
          .put("reward", rewards[i])
          .put("tokens", answer.tokens())
          .put("ended", answer.ended())
          .put("text", answer.text());
    }
    try (BufferedWriter writer =
        Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      writer.write(line + "\n");
    }
  }
}
