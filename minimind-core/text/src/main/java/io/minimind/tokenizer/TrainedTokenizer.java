package io.minimind.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import io.minimind.files.ArgumentException;
import io.minimind.files.AtomicFile;
import io.minimind.files.ModelFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The vocabulary and the merges that {@link ByteLevelBpeTrainer} has learnt. */
public final class TrainedTokenizer {

  /** Two tokens that become one, as the vocabulary spells them. */
  public record Merge(String left, String right) {}

  private final DeclaredTokens declared;
  private final List<String> vocabulary;
  private final List<Merge> merges;

  private TrainedTokenizer(DeclaredTokens declared, List<String> vocabulary, List<Merge> merges) {
    this.declared = declared;
    this.vocabulary = List.copyOf(vocabulary);
    this.merges = List.copyOf(merges);
  }

  /**
   * @param alphabet the character of each initial symbol
   * @throws IllegalArgumentException if a declared token was learnt too
   */
  static TrainedTokenizer of(
      DeclaredTokens declared, char[] alphabet, List<MergeLearner.Merge> learnt) {
    List<String> vocabulary = new ArrayList<>(declared.all());
    for (char character : alphabet) {
      vocabulary.add(String.valueOf(character));
    }
    List<Merge> merges = new ArrayList<>();
    int first = vocabulary.size() - alphabet.length;
    for (MergeLearner.Merge pair : learnt) {
      Merge merge =
          new Merge(vocabulary.get(first + pair.left()), vocabulary.get(first + pair.right()));
      merges.add(merge);
      vocabulary.add(merge.left() + merge.right());
    }
    Set<String> distinct = new HashSet<>(vocabulary);
    if (distinct.size() < vocabulary.size()) {
      for (String token : declared.all()) {
        if (vocabulary.lastIndexOf(token) != vocabulary.indexOf(token)) {
          throw new ArgumentException(
              "The texts teach the token %s, which is declared besides: leave it out."
                  .formatted(token));
        }
      }
    }
    return new TrainedTokenizer(declared, vocabulary, merges);
  }

  /** The tokens by id, declared ones first; bytes are written in the byte-level alphabet. */
  public List<String> vocabulary() {
    return vocabulary;
  }

  /** The merges in the order in which they are applied. */
  public List<Merge> merges() {
    return merges;
  }

  /**
   * Writes {@code tokenizer.json} as the Hugging Face library writes it, and {@code
   * tokenizer_config.json} with the roles of tokens and the chat template.
   *
   * @param folder created if it does not exist; files of these names are replaced
   * @throws IOException if a file cannot be written; the message is a sentence that names it
   */
  public void save(Path folder) throws IOException {
    TokenizerConfig.save(folder, "PreTrainedTokenizerFast", declared);
    AtomicFile.replace(
        folder.resolve(ModelFiles.TOKENIZER), IndentedJson.object(this::writeTokenizer));
  }

  private void writeTokenizer(JsonGenerator json) throws IOException {
    json.writeStringField("version", "1.0");
    json.writeNullField("truncation");
    json.writeNullField("padding");
    json.writeArrayFieldStart("added_tokens");
    List<String> all = declared.all();
    for (int id = 0; id < all.size(); id++) {
      json.writeStartObject();
      json.writeNumberField("id", id);
      json.writeStringField("content", all.get(id));
      for (String field : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        json.writeBooleanField(field, false);
      }
      json.writeBooleanField("special", id < declared.special().size());
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
