package io.minimind.interchange;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.artifact.ModelFolder;
import io.minimind.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** The tokenizer in a GGUF file, as the {@code tokenizer.json} that it was made of. */
final class GgufTokenizer {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;

  private static final String GPT4 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?\\p{L}+|\\p{N}DIGITS| ?[^\\s\\p{L}\\p{N}]+[\\r"
          + "\\n"
          + "]*|\\s*[\\r"
          + "\\n"
          + "]+|\\s+(?!\\S)|\\s+";
  private static final String CASED =
      "[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+CONTRACTION|[^\\r"
          + "\\n"
          + "\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*CONTRACTION|\\p{N}DIGITS|"
          + " ?[^\\s\\p{L}\\p{N}]+[\\r"
          + "\\n"
          + "/]*|\\s*[\\r"
          + "\\n"
          + "]+|\\s+(?!\\S)|\\s+";
  private static final String CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";

  static final String LLAMA3 = GPT4.replace("DIGITS", "{1,3}");
  static final String QWEN2 = GPT4.replace("DIGITS", "");
  static final String TEKKEN = CASED.replace("DIGITS", "").replace("CONTRACTION", "");
  static final String GPT4O = CASED.replace("DIGITS", "{1,3}").replace("CONTRACTION", CONTRACTION);

  private final GgufMetadata metadata;
  private final List<String> tokens;
  private final List<Long> types;

  private GgufTokenizer(GgufMetadata metadata) throws IOException {
    this.metadata = metadata;
    tokens =
        metadata
            .list(PREFIX + "tokens", String.class)
            .orElseThrow(
                () ->
                    new IOException(
                        "The GGUF file holds no tokenizer: name the folder of its tokenizer."));
    types = metadata.list(PREFIX + "token_type", Long.class).orElse(List.of());
  }

  /**
   * Writes {@code tokenizer.json} and {@code tokenizer_config.json}.
   *
   * @throws IOException if the tokenizer is of a kind that is not known
   */
  static void write(GgufMetadata metadata, Path folder) throws IOException {
    GgufTokenizer tokenizer = new GgufTokenizer(metadata);
    Json.write(folder.resolve("tokenizer.json"), tokenizer.tokenizer());
    Json.write(folder.resolve(ModelFolder.TOKENIZER_CONFIG), tokenizer.config());
  }

  private ObjectNode tokenizer() throws IOException {
    String kind = metadata.text(PREFIX + "model").orElse("missing");
    ObjectNode json = Json.MAPPER.createObjectNode();
    json.put("version", "1.0");
    json.set("added_tokens", addedTokens());
    ObjectNode model = Json.MAPPER.createObjectNode().put("type", "BPE");
    ObjectNode vocabulary = model.putObject("vocab");
    for (int id = 0; id < tokens.size(); id++) {
      if (type(id) != UNUSED) {
        vocabulary.put(tokens.get(id), id);
      }
    }
    ArrayNode merges = model.putArray("merges");
    switch (kind) {
      case "gpt2" -> {
        byteLevel(json, model);
        for (String merge : metadata.list(PREFIX + "merges", String.class).orElse(List.of())) {
          merges.add(merge);
        }
      }
      case "llama" -> {
        characters(json, model);
        for (List<String> merge : mergesOfScores(vocabulary)) {
          merges.addArray().add(merge.get(0)).add(merge.get(1));
        }
      }
      default ->
          throw new IOException(
              "%smodel is %s, which is not known here: name the folder of the tokenizer."
                  .formatted(PREFIX, kind));
    }
    json.set("post_processor", postProcessor(kind.equals("llama")));
    json.set("model", model);
    return json;
  }

  private void byteLevel(ObjectNode json, ObjectNode model) throws IOException {
    String pre = metadata.text(PREFIX + "pre").orElse("missing");
    ArrayNode parts = Json.MAPPER.createArrayNode();
    boolean own = false;
    switch (pre) {
      case "gpt-2", "gpt2" -> own = true;
      case "smollm" -> {
        own = true;
        parts.addObject().put("type", "Digits").put("individual_digits", true);
      }
      case "llama-bpe", "llama3", "llama-v3" -> {
        split(parts, LLAMA3);
        model.put("ignore_merges", true);
      }
      case "qwen2" -> {
        split(parts, QWEN2);
        json.putObject("normalizer").put("type", "NFC");
      }
      case "tekken" -> {
        split(parts, TEKKEN);
        model.put("ignore_merges", true);
      }
      case "gpt-4o" -> split(parts, GPT4O);
      default ->
          throw new IOException(
              "%spre is %s, which is not known here: name the folder of the tokenizer."
                  .formatted(PREFIX, pre));
    }
    parts
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", own);
    json.putObject("pre_tokenizer").put("type", "Sequence").set("pretokenizers", parts);
    json.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", true)
        .put("trim_offsets", true)
        .put("use_regex", true);
  }

  private static void split(ArrayNode parts, String regex) {
    ObjectNode split = parts.addObject().put("type", "Split");
    split.putObject("pattern").put("Regex", regex);
    split.put("behavior", "Isolated").put("invert", false);
  }

  private void characters(ObjectNode json, ObjectNode model) throws IOException {
    model.put("byte_fallback", true).put("fuse_unk", true);
    boolean prefix = metadata.flag(PREFIX + "add_space_prefix").orElse(true);
    ObjectNode normalizer = json.putObject("normalizer").put("type", "Sequence");
    ArrayNode steps = normalizer.putArray("normalizers");
    if (prefix) {
      steps.addObject().put("type", "Prepend").put("prepend", "▁");
    }
    ObjectNode replace = steps.addObject().put("type", "Replace");
    replace.putObject("pattern").put("String", " ");
    replace.put("content", "▁");
    ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
    ObjectNode back = decoders.addObject().put("type", "Replace");
    back.putObject("pattern").put("String", "▁");
    back.put("content", " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    if (prefix) {
      decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
  }

  /**
   * The merges of a SentencePiece model, which has scores in their place: of every piece all ways
   * to make it of two, the best scores first.
   */
  private List<List<String>> mergesOfScores(ObjectNode vocabulary) throws IOException {
    List<Double> scores =
        metadata
            .list(PREFIX + "scores", Double.class)
            .orElseThrow(() -> new IOException("The key " + PREFIX + "scores is missing."));
    record Merge(String left, String right, double score) {}
    List<Merge> merges = new ArrayList<>();
    Map<String, Integer> ids = new HashMap<>();
    vocabulary.properties().forEach(token -> ids.put(token.getKey(), token.getValue().intValue()));
    for (int id = 0; id < tokens.size() && id < scores.size(); id++) {
      String token = tokens.get(id);
      if (type(id) == CONTROL || type(id) == UNUSED || type(id) == 2 || type(id) == 6) {
        continue;
      }
      List<Merge> ways = new ArrayList<>();
      for (int cut = token.offsetByCodePoints(0, token.isEmpty() ? 0 : 1);
          cut < token.length();
          cut = token.offsetByCodePoints(cut, 1)) {
        String left = token.substring(0, cut);
        String right = token.substring(cut);
        if (ids.containsKey(left) && ids.containsKey(right)) {
          ways.add(new Merge(left, right, scores.get(id)));
        }
      }
      ways.sort(
          Comparator.comparing((Merge way) -> ids.get(way.left()))
              .thenComparing(way -> ids.get(way.right())));
      merges.addAll(ways);
    }
    merges.sort(
        Comparator.comparingDouble(Merge::score)
            .thenComparingInt(merge -> merge.left().codePointCount(0, merge.left().length()))
            .thenComparingInt(merge -> merge.right().codePointCount(0, merge.right().length()))
            .reversed());
    return merges.stream().map(merge -> List.of(merge.left(), merge.right())).toList();
  }

  private ArrayNode addedTokens() {
    ArrayNode added = Json.MAPPER.createArrayNode();
    for (int id = 0; id < tokens.size(); id++) {
      long type = type(id);
      if (type == CONTROL || type == USER_DEFINED || type == 2) {
        ObjectNode token = added.addObject().put("id", id).put("content", tokens.get(id));
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
          token.put(flag, false);
        }
        token.put("special", type != USER_DEFINED);
      }
    }
    return added;
  }

  /** Puts what begins and ends a text around it, where the file asks for that. */
  private ObjectNode postProcessor(boolean addsFirst) throws IOException {
    ObjectNode template = Json.MAPPER.createObjectNode().put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    ObjectNode known = Json.MAPPER.createObjectNode();
    if (metadata.flag(PREFIX + "add_bos_token").orElse(addsFirst)) {
      special("bos_token_id", single, known);
    }
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    if (metadata.flag(PREFIX + "add_eos_token").orElse(false)) {
      special("eos_token_id", single, known);
    }
    template.set("special_tokens", known);
    return template;
  }

  private void special(String key, ArrayNode single, ObjectNode known) throws IOException {
    OptionalLong id = metadata.integer(PREFIX + key);
    if (id.isPresent() && id.getAsLong() < tokens.size()) {
      String token = tokens.get((int) id.getAsLong());
      single.addObject().putObject("SpecialToken").put("id", token).put("type_id", 0);
      known.putObject(token).put("id", token).putArray("ids").add(id.getAsLong());
    }
  }

  private ObjectNode config() throws IOException {
    ObjectNode config = Json.MAPPER.createObjectNode();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    for (String name : List.of("bos", "eos", "padding", "unknown")) {
      OptionalLong id = metadata.integer(PREFIX + name + "_token_id");
      if (id.isPresent() && id.getAsLong() < tokens.size() && type((int) id.getAsLong()) != 1) {
        String field = name.replace("padding", "pad").replace("unknown", "unk") + "_token";
        config.put(field, tokens.get((int) id.getAsLong()));
      }
    }
    metadata.text("tokenizer.chat_template").ifPresent(text -> config.put("chat_template", text));
    return config;
  }

  private long type(int id) {
    return id < types.size() ? types.get(id) : 1;
  }
}
