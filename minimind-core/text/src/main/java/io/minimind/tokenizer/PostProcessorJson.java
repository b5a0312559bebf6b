package io.minimind.tokenizer;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The {@code post_processor} of a {@code tokenizer.json}.
 *
 * @param prefix ids that are put before a text
 * @param suffix ids that are put behind it
 * @param trimming what is done to the offsets of tokens
 */
record PostProcessorJson(int[] prefix, int[] suffix, TextEncoder.OffsetTrimming trimming) {

  private static final PostProcessorJson NONE =
      new PostProcessorJson(new int[0], new int[0], TextEncoder.OffsetTrimming.NONE);

  /**
   * Reads it.
   *
   * @param ids of all tokens
   */
  static PostProcessorJson read(TokenizerNode node, Map<String, Integer> ids) throws IOException {
    if (node.isAbsent()) {
      return NONE;
    }
    TokenizerNode processors = node.at("processors");
    List<TokenizerNode> parts =
        node.type().equals("Sequence") && processors.json().isArray()
            ? processors.elements()
            : List.of(node);
    PostProcessorJson read = NONE;
    boolean template = false;
    for (TokenizerNode part : parts) {
      if (part.type().equals("TemplateProcessing") && !template) {
        read = read.with(part.at("single"), part.at("special_tokens"), ids);
        template = true;
      } else if (part.type().equals("ByteLevel")) {
        read = new PostProcessorJson(read.prefix, read.suffix, trimming(part, read.trimming));
      } else {
        throw part.unsupportedType("ByteLevel or TemplateProcessing");
      }
    }
    return read;
  }

  private static TextEncoder.OffsetTrimming trimming(
      TokenizerNode node, TextEncoder.OffsetTrimming before) throws IOException {
    if (!node.flag("trim_offsets", true)) {
      return before;
    }
    return node.flag("add_prefix_space", true)
        ? TextEncoder.OffsetTrimming.KEEP_PREFIX_SPACE
        : TextEncoder.OffsetTrimming.ALL;
  }

  private PostProcessorJson with(
      TokenizerNode pieces, TokenizerNode tokens, Map<String, Integer> ids) throws IOException {
    IntStream.Builder before = IntStream.builder();
    IntStream.Builder behind = IntStream.builder();
    boolean text = false;
    for (TokenizerNode piece : pieces.elements()) {
      if (piece.at("Sequence").string("id").equals("A") && !text) {
        text = true;
        continue;
      }
      String name = piece.at("SpecialToken").string("id");
      TokenizerNode given = tokens.at(name).at("ids");
      if (name.isEmpty() || !given.json().isArray()) {
        throw piece.refusal(
            "%s holds %s; expected one Sequence A and special tokens that %s gives"
                .formatted(pieces.place(), piece.json(), tokens.place()));
      }
      for (TokenizerNode element : given.elements()) {
        int id = element.id("%s gives \"%s\"".formatted(tokens.place(), name));
        if (!ids.containsValue(id)) {
          throw piece.refusal(
              "%s gives \"%s\" the id %d, which no token has".formatted(tokens.place(), name, id));
        }
        (text ? behind : before).add(id);
      }
    }
    if (!text) {
      throw pieces.refusal(pieces.place() + " holds no Sequence A");
    }
    return new PostProcessorJson(before.build().toArray(), behind.build().toArray(), trimming);
  }
}
