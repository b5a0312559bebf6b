package io.minimind.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The {@code pre_tokenizer} of a {@code tokenizer.json}.
 *
 * @param patterns that cut a text into words, each in the words of the one before; never empty
 * @param pieceStart what is done to each piece of text before that
 */
record PreTokenizerJson(List<WordPattern> patterns, TextNormalizer pieceStart) {

  /** Before an alphabet of bytes. */
  static PreTokenizerJson byteLevel(TokenizerNode node) throws IOException {
    if (!node.type().equals("Sequence")) {
      node.requireType("ByteLevel");
      return byteLevel(List.of(), node);
    }
    List<TokenizerNode> parts = node.at("pretokenizers").elements();
    int last = parts.size() - 1;
    if (last < 0 || !parts.get(last).type().equals("ByteLevel")) {
      throw node.refusal(
          node.place() + " is a Sequence that does not end in one of type ByteLevel");
    }
    List<WordPattern> patterns = new ArrayList<>();
    for (TokenizerNode part : parts.subList(0, last)) {
      patterns.add(pattern(part));
    }
    TokenizerNode end = parts.get(last);
    if (end.flag("add_prefix_space") && last > 0) {
      throw end.refusal(
          end.place() + ".add_prefix_space is true, which is not supported after others");
    }
    return byteLevel(patterns, end);
  }

  private static PreTokenizerJson byteLevel(List<WordPattern> before, TokenizerNode node)
      throws IOException {
    List<WordPattern> patterns = new ArrayList<>(before);
    if (node.flag("use_regex", true)) {
      patterns.add(WordPattern.gpt2());
    } else if (patterns.isEmpty()) {
      patterns.add(WordPattern.none());
    }
    if (!node.flag("add_prefix_space")) {
      return new PreTokenizerJson(patterns, TextNormalizer.none());
    }
    TextNormalizer space = TextNormalizer.prepend(" ");
    return new PreTokenizerJson(
        patterns,
        (text, start, end) ->
            text.chars()[start] == ' ' ? text : space.normalize(text, start, end));
  }

  private static WordPattern pattern(TokenizerNode node) throws IOException {
    switch (node.type()) {
      case "Digits" -> {
        return WordPattern.numbers(node.flag("individual_digits", false) ? 1 : Integer.MAX_VALUE);
      }
      case "Punctuation" -> {
        if (!node.json().path("behavior").asText("Isolated").equals("Isolated")) {
          throw unsupportedBehavior(node);
        }
        return WordPattern.punctuation();
      }
      case "Split" -> {
        return split(node);
      }
      default -> throw node.unsupportedType("Split, Digits, Punctuation or ByteLevel");
    }
  }

  private static WordPattern split(TokenizerNode node) throws IOException {
    TokenizerNode pattern = node.at("pattern");
    String regex = pattern.string("Regex");
    String written = pattern.string("String");
    // What is inverted is which parts are matches: isolated, both are kept, and where there is
    // nothing between matches, nothing is removed.
    boolean keepsMatches = node.flag("invert") && WordPattern.matchesAll(regex);
    String behavior = node.string("behavior");
    if (!behavior.equals("Isolated") && !(behavior.equals("Removed") && keepsMatches)) {
      throw unsupportedBehavior(node);
    }
    return written.isEmpty()
        ? WordPattern.ofRegex(regex).orElseThrow(() -> NormalizerJson.unknownPattern(pattern))
        : WordPattern.literal(written);
  }

  private static IOException unsupportedBehavior(TokenizerNode node) {
    TokenizerNode behavior = node.at("behavior");
    return node.refusal(
        "%s is %s, which is not supported; expected \"Isolated\""
            .formatted(behavior.place(), behavior.json()));
  }

  /** Before an alphabet of characters: what turns spaces into ▁. */
  static PreTokenizerJson metaspace(TokenizerNode node) throws IOException {
    if (node.isAbsent()) {
      return new PreTokenizerJson(List.of(WordPattern.none()), TextNormalizer.none());
    }
    if (node.type().equals("Split")
        && node.at("pattern").string("String").equals(" ")
        && node.string("behavior").equals("MergedWithPrevious")
        && !node.flag("invert")) {
      return new PreTokenizerJson(List.of(WordPattern.behind(' ')), TextNormalizer.none());
    }
    node.requireType("Metaspace");
    char space = CharacterBpeTokenizer.SPACE;
    if (!node.string("replacement").equals(String.valueOf(space))) {
      throw node.refusal(node.place() + ".replacement is not \"▁\"");
    }
    String scheme = node.string("prepend_scheme");
    if (!List.of("first", "always", "never").contains(scheme)) {
      throw node.refusal(
          node.place() + ".prepend_scheme is missing; expected first, always or never");
    }
    WordPattern words = node.flag("split", true) ? WordPattern.before(space) : WordPattern.none();
    return new PreTokenizerJson(List.of(words), spaces(scheme));
  }

  private static TextNormalizer spaces(String scheme) {
    String space = String.valueOf(CharacterBpeTokenizer.SPACE);
    TextNormalizer spaces = TextNormalizer.replace(TextNormalizer.WordFinder.literal(" "), space);
    TextNormalizer prefix = TextNormalizer.prepend(space);
    return (text, start, end) -> {
      boolean prepends =
          start < end
              && text.chars()[start] != ' '
              && text.chars()[start] != CharacterBpeTokenizer.SPACE
              && (scheme.equals("always")
                  || scheme.equals("first") && text.originalStart(start) == 0);
      return TextNormalizer.sequence(prepends ? List.of(spaces, prefix) : List.of(spaces))
          .normalize(text, start, end);
    };
  }
}
