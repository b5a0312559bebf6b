package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import io.minimind.files.AtomicFile;
import io.minimind.files.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The vocabulary and the merges that {@link ByteLevelBpeTrainer} has learnt. */
public final class TrainedTokenizer {

  static final String UNKNOWN = "<unk>";
  static final String BEGIN = "<s>";
  static final String END = "</s>";
  static final List<String> SPECIAL_TOKENS = List.of(UNKNOWN, BEGIN, END);

  /** Two tokens that become one, as the vocabulary spells them. */
  public record Merge(String left, String right) {}

  private final List<String> vocabulary;
  private final List<Merge> merges;

  private TrainedTokenizer(List<String> vocabulary, List<Merge> merges) {
    this.vocabulary = List.copyOf(vocabulary);
    this.merges = List.copyOf(merges);
  }

  /**
   * @param alphabet the character of each initial symbol
   */
  static TrainedTokenizer of(char[] alphabet, List<MergeLearner.Merge> learnt) {
    List<String> vocabulary = new ArrayList<>(SPECIAL_TOKENS);
    for (char character : alphabet) {
      vocabulary.add(String.valueOf(character));
    }
    List<Merge> merges = new ArrayList<>();
    int first = SPECIAL_TOKENS.size();
    for (MergeLearner.Merge pair : learnt) {
      Merge merge =
          new Merge(vocabulary.get(first + pair.left()), vocabulary.get(first + pair.right()));
      merges.add(merge);
      vocabulary.add(merge.left() + merge.right());
    }
    return new TrainedTokenizer(vocabulary, merges);
  }

  /** The tokens by id, special ones first; bytes are written in the byte-level alphabet. */
  public List<String> vocabulary() {
    return vocabulary;
  }

  /** The merges in the order in which they are applied. */
  public List<Merge> merges() {
    return merges;
  }

  /**
   * Writes {@code tokenizer.json} as the Hugging Face library writes it, and {@code
   * tokenizer_config.json} with MiniMind's chat template.
   *
   * @param folder created if it does not exist; files of these names are replaced
   * @throws IOException if a file cannot be written; the message is a sentence that names it
   */
  public void save(Path folder) throws IOException {
    TokenizerConfig.save(folder, "PreTrainedTokenizerFast");
    AtomicFile.replace(
        folder.resolve(ModelFiles.TOKENIZER), IndentedJson.object(this::writeTokenizer));
  }

  private void writeTokenizer(JsonGenerator json) throws IOException {
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    for (int id = 0; id < SPECIAL_TOKENS.size(); id++) {
      json.writeStartObject();
      json.writeNumberField("id", id);
      json.writeStringField("content", SPECIAL_TOKENS.get(id));
      for (String field : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        json.writeBooleanField(field, false);
      }
      json.writeBooleanField("special", true);
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullField("normalizer");
    writeByteLevel(json, "pre_tokenizer", false);
    json.writeNullField("post_processor");
    // A decoder takes no notice of the prefix space; the library writes its default.
    writeByteLevel(json, "decoder", true);
    json.writeObjectFieldStart("model");
    json.writeStringField("type", "BPE");
    for (String field :
        List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
      json.writeNullField(field);
    }
    for (String field : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
      json.writeBooleanField(field, false);
    }
    json.writeObjectFieldStart("vocab");
    for (int id = 0; id < vocabulary.size(); id++) {
      json.writeNumberField(vocabulary.get(id), id);
    }
    json.writeEndObject();
    json.writeArrayFieldStart("merges");
    for (Merge merge : merges) {
      json.writeStartArray();
      json.writeString(merge.left());
      json.writeString(merge.right());
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void writeByteLevel(JsonGenerator json, String field, boolean prefixSpace)
      throws IOException {
    json.writeObjectFieldStart(field);
    json.writeStringField("type", "ByteLevel");
    json.writeBooleanField("add_prefix_space", prefixSpace);
    json.writeBooleanField("trim_offsets", true);
    json.writeBooleanField("use_regex", true);
    json.writeEndObject();
  }
}
