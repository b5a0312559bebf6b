package io.minimind.verify;

import com.fasterxml.jackson.databind.JsonNode;
import io.minimind.chat.ChatTemplate;
import io.minimind.chat.Message;
import io.minimind.chat.TemplateOptions;
import io.minimind.data.ChatEncoder;
import io.minimind.data.ChatEncoder.Encoded;
import io.minimind.data.ChatEncoder.Loss;
import io.minimind.data.Conversation;
import io.minimind.template.TemplateException;
import io.minimind.tokenizer.StreamingDecoder;
import io.minimind.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Texts of MiniMind's third version: its tokenizer, its chat template, its conversations. */
final class HeadTextCases {

  private static final String HEADER = "<|im_start|>assistant\n";
  private static final String END = "<|im_end|>";
  private static final String EMPTY_THINKING = "<think>\n\n</think>\n\n";
  private static final long IGNORED = -100;

  private record Texts(List<Encoding> strings, List<Piece> pieces) {}

  private record Encoding(String text, int[] ids, String decoded, String decodedWithoutSpecial) {}

  private record Piece(int[] ids, String decoded) {}

  private record Renderings(String template, List<Rendering> renderings) {}

  /**
   * @param tools null if there are none
   */
  private record Rendering(
      List<Map<String, Object>> messages,
      Optional<List<Map<String, Object>>> tools,
      Map<String, Object> options,
      String text) {

    String rendered(ChatTemplate template) {
      Map<String, Object> variables = new LinkedHashMap<>(options);
      boolean asking = Boolean.TRUE.equals(variables.remove("add_generation_prompt"));
      return template.render(
          messages.stream().map(HeadTextCases::message).toList(),
          TemplateOptions.defaults()
              .withAddGenerationPrompt(asking)
              .withTools(tools.orElse(List.of()))
              .withVariables(variables));
    }
  }

  private record Conversations(List<Dialogue> cases) {}

  /**
   * @param conversations the messages
   * @param kept how they are encoded with empty thoughts
   * @param dropped how without
   */
  private record Dialogue(
      String name, int maxLength, JsonNode conversations, Outcome kept, Outcome dropped) {}

  private record Outcome(String text, int[] inputIds, long[] labels) {}

  private HeadTextCases() {}

  /**
   * @param tokenizer the folder of the tokenizer
   * @throws IOException if the references are missing or damaged
   */
  static List<Case> of(GoldenFolder golden, Path tokenizer) throws IOException {
    Tokenizer tokens = Tokenizer.load(tokenizer);
    ChatTemplate template = ChatTemplate.load(tokenizer);
    List<Case> cases = new ArrayList<>(encodings(golden, tokens));
    cases.add(renderings(golden));
    cases.addAll(conversations(golden, tokens, template));
    return cases;
  }

  private static List<Case> encodings(GoldenFolder golden, Tokenizer tokens) throws IOException {
    Texts texts = golden.read("head_tokenizer", Texts.class);
    Mismatches encoded = new Mismatches();
    Mismatches decoded = new Mismatches();
    for (Encoding one : texts.strings) {
      String place = "the text \"" + one.text + "\"";
      encoded.add(place, Arrays.equals(one.ids, tokens.encode(one.text)));
      decoded.add(
          place,
          one.decoded.equals(tokens.decode(one.ids))
              && one.decodedWithoutSpecial.equals(tokens.decode(one.ids, true)));
    }
    Mismatches pieces = new Mismatches();
    for (Piece piece : texts.pieces) {
      StreamingDecoder decoder = tokens.streamingDecoder();
      StringBuilder streamed = new StringBuilder();
      for (int id : piece.ids) {
        streamed.append(decoder.next(id));
      }
      streamed.append(decoder.finish());
      pieces.add(
          "the ids " + Arrays.toString(piece.ids),
          piece.decoded.equals(tokens.decode(piece.ids))
              && piece.decoded.equals(streamed.toString()));
    }
    return List.of(
        encoded.as("head_tokenizer ids"),
        decoded.as("head_tokenizer decoded texts"),
        pieces.as("head_tokenizer cut characters"));
  }

  private static Case renderings(GoldenFolder golden) throws IOException {
    Renderings reference = golden.read("head_chat_template", Renderings.class);
    ChatTemplate template = ChatTemplate.parse(reference.template, Map.of());
    Mismatches mismatches = new Mismatches();
    for (int i = 0; i < reference.renderings.size(); i++) {
      Rendering one = reference.renderings.get(i);
      mismatches.add("rendering " + i, isRendered(one, template));
    }
    return mismatches.as("head_chat_template");
  }

  private static boolean isRendered(Rendering one, ChatTemplate template) {
    try {
      return one.text.equals(one.rendered(template));
    } catch (TemplateException e) {
      return false;
    }
  }

  /** The message that fields make, whatever is in them. */
  private static Message message(Map<String, Object> fields) {
    Map<String, Object> others = new LinkedHashMap<>(fields);
    others.remove("role");
    String content = others.get("content") instanceof String text ? text : "";
    return new Message((String) fields.get("role"), content, others);
  }

  private static List<Case> conversations(
      GoldenFolder golden, Tokenizer tokens, ChatTemplate template) throws IOException {
    Mismatches texts = new Mismatches();
    Mismatches ids = new Mismatches();
    Mismatches labels = new Mismatches();
    List<String> misread = new ArrayList<>();
    for (Dialogue one : golden.read("head_sft", Conversations.class).cases) {
      ChatEncoder encoder = ChatEncoder.of(tokens, template, "", one.maxLength, Loss.ALL_TURNS);
      Conversation conversation = Conversation.whole(one.conversations, "its message");
      for (boolean dropped : new boolean[] {false, true}) {
        Outcome expected = dropped ? one.dropped : one.kept;
        String place = one.name + (dropped ? ", dropped" : ", kept");
        Encoded found = encoder.encode(conversation, dropped);
        if (dropped && writesEmptyThinking(conversation)) {
          misread.add(place);
          continue;
        }
        texts.add(place, expected.text.equals(found.text()));
        ids.add(place, Arrays.equals(expected.inputIds, found.sample().ids()));
        if (isMisread(conversation, found, tokens)) {
          misread.add(place);
        } else {
          labels.add(place, Arrays.equals(expected.labels, labels(found)));
        }
      }
    }
    List<Case> cases = new ArrayList<>();
    cases.add(texts.as("head_sft texts"));
    cases.add(ids.as("head_sft ids"));
    cases.add(labels.as("head_sft labels"));
    if (!misread.isEmpty()) {
      cases.add(
          new Case.Skipped(
              "head_sft labels of " + misread.size(),
              "the original takes what somebody wrote for a turn, or misses one: "
                  + String.join("; ", misread)));
    }
    return cases;
  }

  private static long[] labels(Encoded found) {
    int[] ids = found.sample().ids();
    BitSet targets = found.sample().targets();
    long[] labels = new long[ids.length];
    Arrays.setAll(labels, i -> targets.get(i) ? ids[i] : IGNORED);
    return labels;
  }

  /**
   * Whether the original, which looks for the ids of header and end, takes content for one of them,
   * or does not find a header because its last token has grown together with what follows.
   */
  static boolean isMisread(Conversation conversation, Encoded found, Tokenizer tokens) {
    if (conversation.messages().stream().anyMatch(each -> each.content().contains(HEADER))) {
      return true;
    }
    int[] header = tokens.encode(HEADER);
    int[] end = tokens.encode(END + "\n");
    int[] ids = found.sample().ids();
    BitSet targets = found.sample().targets();
    for (int start = targets.nextSetBit(0); start >= 0; ) {
      int stop = targets.nextClearBit(start);
      if (!isAt(ids, start - header.length, header)) {
        return true;
      }
      for (int i = start; i + end.length < stop; i++) {
        if (isAt(ids, i, end)) {
          return true;
        }
      }
      start = targets.nextSetBit(stop);
    }
    return false;
  }

  private static boolean isAt(int[] ids, int position, int[] part) {
    int stop = position + part.length;
    return position >= 0 && Arrays.equals(ids, position, stop, part, 0, part.length);
  }

  /**
   * Whether somebody wrote empty thoughts elsewhere than where an answer begins, from where the
   * original takes them too.
   */
  static boolean writesEmptyThinking(Conversation conversation) {
    return conversation.messages().stream()
        .anyMatch(
            message -> {
              boolean begins =
                  message.role().equals("assistant")
                      && !message.fields().containsKey("reasoning_content");
              return message.content().indexOf(EMPTY_THINKING, begins ? 1 : 0) >= 0;
            });
  }
}
