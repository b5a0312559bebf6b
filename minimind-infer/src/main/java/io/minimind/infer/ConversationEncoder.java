package io.minimind.infer;

import io.minimind.chat.Message;
import io.minimind.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Turns conversations into token ids. Only the template can write special tokens: one that is
 * spelled out in a message stays ordinary text, so that it cannot end the message or begin another.
 * What the assistant has written is left as it is, because special tokens may belong to it.
 *
 * <p>While the template runs, characters for private use stand for such spellings. Other
 * conversations are encoded in one piece.
 */
final class ConversationEncoder {
  private static final int STAND_INS = 0xF0000;
  private static final Pattern STAND_IN = Pattern.compile("[\\x{F0000}-\\x{10FFFD}]");

  private final Tokenizer tokenizer;
  private final Function<List<Message>, String> template;
  private final Pattern special;
  private final Pattern replaced;

  ConversationEncoder(Tokenizer tokenizer, Function<List<Message>, String> template) {
    this.tokenizer = tokenizer;
    this.template = template;
    String spellings =
        tokenizer.specialTokens().keySet().stream()
            .sorted(Comparator.comparing(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    special = Pattern.compile(spellings.isEmpty() ? "(?!)" : spellings); // (?!) finds nothing
    replaced = Pattern.compile(special + "|" + STAND_IN);
  }

  /**
   * What a model reads.
   *
   * @param text as the template gave it
   */
  record Prompt(int[] ids, String text) {
    /** Whether the text ends so, whitespace aside. */
    boolean endsWith(String marker) {
      return text.stripTrailing().endsWith(marker);
    }
  }

  Prompt encode(List<Message> messages) {
    if (messages.stream().noneMatch(this::spellsSpecialTokens)) {
      String text = template.apply(messages);
      return new Prompt(tokenizer.encode(text), text);
    }
    List<String> spellings = new ArrayList<>();
    String text = template.apply(messages.stream().map(m -> replace(m, spellings)).toList());
    IntStream.Builder ids = IntStream.builder();
    int end = 0;
    for (Matcher found = STAND_IN.matcher(text); found.find(); ) {
      int index = found.group().codePointAt(0) - STAND_INS;
      if (index < spellings.size()) {
        add(ids, tokenizer.encode(text.substring(end, found.start())));
        add(ids, tokenizer.encodeOrdinary(spellings.get(index)));
        end = found.end();
      }
    }
    add(ids, tokenizer.encode(text.substring(end)));
    return new Prompt(ids.build().toArray(), text);
  }

  private static void add(IntStream.Builder ids, int... more) {
    for (int id : more) {
      ids.add(id);
    }
  }

  private boolean spellsSpecialTokens(Message message) {
    return !message.role().equals("assistant") && special.matcher(message.content()).find();
  }

  private Message replace(Message message, List<String> spellings) {
    if (message.role().equals("assistant")) {
      return message;
    }
    String content =
        replaced.matcher(message.content()).replaceAll(m -> standIn(m.group(), spellings));
    return new Message(message.role(), content, message.fields());
  }

  private static String standIn(String spelling, List<String> spellings) {
    if (!spellings.contains(spelling)) {
      spellings.add(spelling);
    }
    return Character.toString(STAND_INS + spellings.indexOf(spelling));
  }
}
