package io.minimind.infer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Writes what the SDK computes from a model, in the form of the reference models' {@code
 * reference.json}: for programs that compare it with what others compute from an export of the
 * model.
 */
final class ReferenceNumbers {

  private static final int NEW_TOKENS = 24;

  private ReferenceNumbers() {}

  /** Arguments: a model folder, a file of texts, one a line, the file to write. */
  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    List<String> texts = Files.readAllLines(Path.of(arguments[1]));
    Tokenizer tokenizer = Tokenizer.load(folder);
    ObjectMapper json = new ObjectMapper();
    ObjectNode numbers = json.createObjectNode();
    try (Decoder decoder = Decoder.load(folder, 2)) {
      ArrayNode prompts = numbers.putArray("prompts");
      for (String text : texts) {
        int[] ids = tokenizer.encodeWithSpecialTokens(text);
        ObjectNode prompt = prompts.addObject().put("text", text);
        put(prompt, "ids", ids);
        ArrayNode logits = prompt.putArray("logits");
        for (float logit : decoder.nextTokenLogits(ids)) {
          logits.add(logit);
        }
        put(prompt, "greedy", greedy(decoder, ids));
      }
      String all = String.join("\n", texts);
      int[] ids = tokenizer.encodeWithSpecialTokens(all);
      ids = Arrays.copyOf(ids, Math.min(ids.length, decoder.contextLength()));
      ObjectNode text = numbers.putObject("text").put("text", all);
      put(text, "ids", ids);
      ArrayNode likely = text.putArray("log_probabilities");
      int[] scored = ids;
      decoder.read(
          ids,
          (runtime, session) ->
              session.score(
                  runtime,
                  scored,
                  (position, row) -> {
                    if (position + 1 < scored.length) {
                      likely.add(
                          LogProbabilities.of(row, scored[position + 1], 0, 0).logProbability());
                    }
                  }));
    }
    ArrayNode cases = numbers.putObject("tokenizer").putArray("cases");
    for (String text : texts) {
      int[] ids = tokenizer.encodeWithSpecialTokens(text);
      ObjectNode one = cases.addObject().put("text", text).put("decoded", tokenizer.decode(ids));
      put(one, "ids", ids);
    }
    Optional<ChatTemplate> template = ChatTemplate.find(folder);
    if (template.isPresent()) {
      ArrayNode chats = numbers.putArray("chat");
      for (int i = 0; i + 2 < texts.size(); i += 3) {
        ObjectNode chat = chats.addObject().put("add_generation_prompt", true);
        ArrayNode messages = chat.putArray("messages");
        messages.addObject().put("role", "user").put("content", texts.get(i));
        messages.addObject().put("role", "assistant").put("content", texts.get(i + 1));
        messages.addObject().put("role", "user").put("content", texts.get(i + 2));
        chat.put(
            "rendered",
            template
                .get()
                .render(
                    List.of(
                        Message.user(texts.get(i)),
                        Message.assistant(texts.get(i + 1)),
                        Message.user(texts.get(i + 2))),
                    TemplateOptions.defaults().withAddGenerationPrompt(true)));
      }
    }
    json.writeValue(Path.of(arguments[2]).toFile(), numbers);
  }

  /** The likeliest tokens one after the other, also beyond one that ends a text. */
  private static int[] greedy(Decoder decoder, int[] prompt) {
    int[] text = prompt;
    for (int i = 0; i < NEW_TOKENS; i++) {
      float[] logits = decoder.nextTokenLogits(text);
      int best = 0;
      for (int id = 1; id < logits.length; id++) {
        best = logits[id] > logits[best] ? id : best;
      }
      text = Arrays.copyOf(text, text.length + 1);
      text[text.length - 1] = best;
    }
    return Arrays.copyOfRange(text, prompt.length, text.length);
  }

  private static void put(ObjectNode node, String field, int[] ids) {
    ArrayNode list = node.putArray(field);
    for (int id : ids) {
      list.add(id);
    }
  }
}
