package io.minimind.tokenizer;

import java.io.IOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the {@code normalizer} of a {@code tokenizer.json}. */
final class NormalizerJson {

  private NormalizerJson() {}

  static Optional<TextNormalizer> read(TokenizerNode node) throws IOException {
    return node.isAbsent() ? Optional.empty() : Optional.of(normalizer(node));
  }

  private static TextNormalizer normalizer(TokenizerNode node) throws IOException {
    switch (node.type()) {
      case "Sequence" -> {
        TokenizerNode normalizers = node.at("normalizers");
        if (!normalizers.json().isArray()) {
          throw node.refusal(normalizers.place() + " is missing; expected an array");
        }
        List<TextNormalizer> parts = new ArrayList<>();
        for (TokenizerNode part : normalizers.elements()) {
          parts.add(normalizer(part));
        }
        return TextNormalizer.sequence(parts);
      }
      case "NFC", "NFD", "NFKC", "NFKD" -> {
        return UnicodeNormalizer.of(Normalizer.Form.valueOf(node.type()));
      }
      case "Lowercase" -> {
        return TextNormalizer.lowerCase();
      }
      case "Strip" -> {
        return TextNormalizer.strip(node.flag("strip_left"), node.flag("strip_right"));
      }
      case "Prepend" -> {
        return TextNormalizer.prepend(node.requiredString("prepend"));
      }
      case "Replace" -> {
        return TextNormalizer.replace(finder(node.at("pattern")), node.requiredString("content"));
      }
      default ->
          throw node.unsupportedType("NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend or Replace");
    }
  }

  private static TextNormalizer.WordFinder finder(TokenizerNode pattern) throws IOException {
    String written = pattern.string("String");
    return written.isEmpty()
        ? PatternExpression.of(pattern.string("Regex")).orElseThrow(() -> unknownPattern(pattern))
        : TextNormalizer.WordFinder.literal(written);
  }

  static IOException unknownPattern(TokenizerNode pattern) {
    return pattern.refusal(
        "%s is %s, which is not supported; expected a regular expression of classes, alternatives and greedy quantifiers"
            .formatted(pattern.place(), pattern.json()));
  }
}
