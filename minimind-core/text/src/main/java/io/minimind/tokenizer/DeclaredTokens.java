package io.minimind.tokenizer;

import io.minimind.chat.ChatTemplate;
import io.minimind.files.ArgumentException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The tokens that a new tokenizer has besides those that it learns, and what they are for. They
 * have the first ids, in this order.
 *
 * @param special what no text is made of: decoding may leave them out
 * @param userDefined what is one token wherever a text has it, and part of the text
 * @param unknown stands for what has no token; one of the special ones, as the others
 * @param begin begins a text
 * @param end ends one
 * @param padding fills up rows, if there is such a token
 * @param chatTemplate how conversations are put
 */
public record DeclaredTokens(
    List<String> special,
    List<String> userDefined,
    String unknown,
    String begin,
    String end,
    Optional<String> padding,
    String chatTemplate) {

  /** Those of MiniMind's first version, with its template. */
  public static final DeclaredTokens MINIMIND =
      new DeclaredTokens(
          List.of("<unk>", "<s>", "</s>"),
          List.of(),
          "<unk>",
          "<s>",
          "</s>",
          Optional.empty(),
          ChatTemplate.MINIMIND);

  /**
   * Those of MiniMind's present version, in its order: ChatML's, places for pictures and sounds,
   * tags of thoughts and tools, and some that are free.
   */
  public static final DeclaredTokens CHAT_ML = chatMl();

  /**
   * @throws IllegalArgumentException if a token is empty or there twice, or one with a role is not
   *     special
   */
  public DeclaredTokens {
    special = List.copyOf(special);
    userDefined = List.copyOf(userDefined);
    Set<String> seen = new HashSet<>();
    for (List<String> tokens : List.of(special, userDefined)) {
      for (String token : tokens) {
        if (token.isBlank() || !seen.add(token)) {
          throw new ArgumentException(
              token.isBlank()
                  ? "A token is empty: leave it out."
                  : "The token %s is there twice: name it once.".formatted(token));
        }
      }
    }
    for (String role : List.of(unknown, begin, end, padding.orElse(unknown))) {
      if (!special.contains(role)) {
        throw new ArgumentException(
            "The token %s has a role and is none of the special ones, which are %s."
                .formatted(role, String.join(", ", special)));
      }
    }
  }

  private static DeclaredTokens chatMl() {
    List<String> special = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
    for (String place : List.of("object_ref", "box", "quad", "vision")) {
      special.add("<|" + place + "_start|>");
      special.add("<|" + place + "_end|>");
    }
    special.addAll(List.of("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"));
    special.addAll(List.of("<|audio_start|>", "<|audio_end|>", "<|audio_pad|>"));
    special.addAll(
        List.of("<tts_pad>", "<tts_text_bos>", "<tts_text_eod>", "<tts_text_bos_single>"));
    List<String> tags = new ArrayList<>();
    for (String tag : List.of("tool_call", "tool_response", "think")) {
      tags.add("<" + tag + ">");
      tags.add("</" + tag + ">");
    }
    IntStream.rangeClosed(1, 9).forEach(i -> tags.add("<|buffer" + i + "|>"));
    return new DeclaredTokens(
        special,
        tags,
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        Optional.of("<|endoftext|>"),
        ChatTemplate.CHAT_ML);
  }

  /** The same with other tokens that are part of texts. */
  public DeclaredTokens withUserDefined(List<String> tokens) {
    return new DeclaredTokens(special, tokens, unknown, begin, end, padding, chatTemplate);
  }

  /** The same with another way to put conversations. */
  public DeclaredTokens withChatTemplate(String template) {
    return new DeclaredTokens(special, userDefined, unknown, begin, end, padding, template);
  }

  /** All of them in the order of their ids. */
  List<String> all() {
    List<String> all = new ArrayList<>(special);
    all.addAll(userDefined);
    return all;
  }
}
