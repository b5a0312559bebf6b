package io.minimind.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerFileTest {

  @TempDir Path folder;

  @Test
  void aFolderStandsForTheFileInIt() throws IOException {
    write(SmallTokenizer.json().toString());
    assertEquals(340, Tokenizer.load(folder).vocabularySize());
  }

  @Test
  void aMissingFileIsNamed() {
    assertEquals(
        "There is no tokenizer in " + folder + ": expected tokenizer.json or tokenizer.model.",
        refusal(folder));
    assertEquals("Tokenizer file " + file() + " does not exist.", refusal(file()));
  }

  @Test
  void brokenJsonIsRefusedWithItsPlace() throws IOException {
    write("{\n  \"model\": nonsense\n}");
    String message = refusal(file());
    String start = "Tokenizer file " + file() + " is not valid JSON at line 2, column ";
    assertEquals(start, message.substring(0, Math.min(start.length(), message.length())));
  }

  @Test
  void jsonThatIsNestedTooDeeplyIsRefused() throws IOException {
    write("[".repeat(100_000));
    String start = "Tokenizer file " + file() + " is not valid JSON: it is nested more than";
    assertEquals(start, refusal(file()).substring(0, start.length()));
  }

  @Test
  void aTruncatedFileIsRefused() throws IOException {
    String json = SmallTokenizer.json().toString();
    write(json.substring(0, json.length() / 2));
    String start = "Tokenizer file " + file() + " is not valid JSON at line 1, column ";
    assertEquals(start, refusal(file()).substring(0, start.length()));
  }

  @Test
  void aTokenThatIsGivenTwiceIsRefused() throws IOException {
    write(SmallTokenizer.json().toString().replace("\"!\":3", "\"!\":3,\"!\":4"));
    String message = refusal(file());
    assertEquals("Duplicate field '!'.", message.substring(message.indexOf("Duplicate")));
  }

  /** Pointer of what is changed, its new JSON value or nothing to remove it, and the complaint. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "/version | \"2.0\" | version is \"2.0\"; expected \"1.0\"",
        "/normalizer | {\"type\":\"Nmt\"} | normalizer is of type \"Nmt\", which is not supported;"
            + " expected NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend or Replace",
        "/decoder | {\"type\":\"Sequence\",\"decoders\":[{},{}]} | pre_tokenizer is of type"
            + " \"ByteLevel\", which is not supported; expected Metaspace",
        "/truncation | {} | truncation is set, which is not supported; expected null",
        "/padding | {} | padding is set, which is not supported; expected null",
        "/pre_tokenizer | | pre_tokenizer is missing; expected one of type ByteLevel",
        "/pre_tokenizer/type | \"Split\" | pre_tokenizer is of type \"Split\", which is not"
            + " supported; expected ByteLevel",
        "/pre_tokenizer/add_prefix_space | | pre_tokenizer.add_prefix_space is missing; expected"
            + " true or false",
        "/decoder | null | decoder is missing; expected one of type ByteLevel",
        "/post_processor | {\"type\":\"BertProcessing\"} | post_processor is of type"
            + " \"BertProcessing\", which is not supported; expected ByteLevel or"
            + " TemplateProcessing",
        "/post_processor | {\"type\":\"TemplateProcessing\",\"single\":[]} | post_processor.single"
            + " holds no Sequence A",
        "/post_processor |"
            + " {\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<s>\"}}]}"
            + " | post_processor.single holds {\"SpecialToken\":{\"id\":\"<s>\"}}; expected one"
            + " Sequence A and special tokens that post_processor.special_tokens gives",
        "/pre_tokenizer | {\"type\":\"Metaspace\"} | pre_tokenizer is of type \"Metaspace\", which"
            + " is not supported; expected ByteLevel",
        "/pre_tokenizer | {\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"}]} |"
            + " pre_tokenizer is a Sequence that does not end in one of type ByteLevel",
        "/pre_tokenizer |"
            + " {\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\ba+\"},\"behavior\":\"Isolated\",\"invert\":false},{\"type\":\"ByteLevel\"}]}"
            + " | pre_tokenizer.pretokenizers[0].pattern is {\"Regex\":\"\\\\ba+\"}, which is not"
            + " supported; expected a regular expression of classes, alternatives and greedy"
            + " quantifiers",
        "/pre_tokenizer |"
            + " {\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{N}\"},\"behavior\":\"Removed\",\"invert\":false},{\"type\":\"ByteLevel\"}]}"
            + " | pre_tokenizer.pretokenizers[0].behavior is \"Removed\", which is not supported;"
            + " expected \"Isolated\"",
        "/model | | model is missing",
        "/model/type | \"Unigram\" | model is of type \"Unigram\", which is not supported;"
            + " expected BPE",
        "/model/dropout | 0.1 | model.dropout is set, which makes ids random; expected null",
        "/model/end_of_word_suffix | \"</w>\" | model.end_of_word_suffix is set, which is not"
            + " supported; expected null",
        "/model/vocab | | model.vocab is missing or empty; expected an object of tokens and their"
            + " ids",
        "/model/vocab/a | -1 | model.vocab gives the token \"a\" the id -1; expected a whole"
            + " number from 0",
        "/model/vocab/a | 1.5 | model.vocab gives the token \"a\" the id 1.5; expected a whole"
            + " number from 0",
        "/model/vocab/new | 2000000000 | the token \"new\" has the id 2000000000; expected less"
            + " than 1706 for 341 tokens",
        "/model/vocab/! | | model.vocab has no token \"!\" for the byte 0x21; expected one for"
            + " every byte",
        "/model/merges | | model.merges is missing; expected an array",
        "/model/merges/2 | \"t zz\" | model.merges[2] needs the token \"zz\", which is not in"
            + " model.vocab",
        "/model/merges/2 | [\"t\",\"z\"] | model.merges[2] needs the token \"tz\", which is not in"
            + " model.vocab",
        "/model/merges/2 | \"the\" | model.merges[2] is \"the\"; expected two tokens",
        "/model/merges/2 | [\"t\"] | model.merges[2] is [\"t\"]; expected two tokens",
        "/added_tokens | {} | added_tokens is not an array",
        "/added_tokens/1/content | \"\" | added_tokens[1] has no content",
        "/added_tokens/1/content | \"<unk>\" | added_tokens[1] gives \"<unk>\" a second time",
        "/added_tokens/1/id | 7 | added_tokens[1] gives \"<s>\" the id 7; expected 1",
        "/added_tokens/1/content | \"<new>\" | added_tokens[1] gives \"<new>\" the id 1; expected"
            + " 340",
        "/added_tokens/1/single_word | | added_tokens[1].single_word is missing; expected true or"
            + " false",
        "/added_tokens/1/lstrip | | added_tokens[1].lstrip is missing; expected true or false",
      })
  void whatCannotBeDoneExactlyIsRefusedInOneSentence(String pointer, String value, String problem)
      throws IOException {
    ObjectNode json = SmallTokenizer.json();
    change(json, pointer, value);
    write(json.toString());
    assertEquals("Tokenizer file " + file() + ": " + problem + ".", refusal(folder));
  }

  /** Whatever a file holds, it is a tokenizer or is refused in a sentence. */
  @ParameterizedTest
  @ValueSource(strings = {"small_llama3.json", "small_qwen.json"})
  void damagedFilesAreRefusedInOneSentence(String name) throws IOException {
    byte[] whole = SmallTokenizer.resource(name).toString().getBytes(StandardCharsets.UTF_8);
    Random random = new Random(5);
    int refused = 0;
    for (int round = 0; round < 600; round++) {
      byte[] damaged = whole.clone();
      if (round % 3 == 0) {
        damaged = Arrays.copyOf(whole, random.nextInt(whole.length));
      } else {
        // The settings are at the start.
        int reach = round % 3 == 1 ? whole.length : 1500;
        damaged[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(file(), damaged);
      try {
        Tokenizer.load(file()).encode("The stone, 小河 12'S");
      } catch (IOException e) {
        refused++;
        String start = "Tokenizer file " + file();
        assertEquals(start, e.getMessage().substring(0, start.length()));
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
      }
    }
    assertTrue(refused > 200);
  }

  @Test
  void removingWhatIsBetweenMatchesIsIsolatingThemWhereNothingIs() throws IOException {
    JsonNode json = SmallTokenizer.resource("small_llama3.json");
    String text = "The stone's  12345 houses,\n\n 小河";
    write(json.toString());
    int[] isolated = Tokenizer.load(file()).encode(text);
    ObjectNode split = (ObjectNode) json.at("/pre_tokenizer/pretokenizers/0");
    split.put("behavior", "Removed").put("invert", true);
    write(json.toString());
    assertArrayEquals(isolated, Tokenizer.load(file()).encode(text));
    ((ObjectNode) split.get("pattern")).put("Regex", "\\p{N}+");
    write(json.toString());
    assertTrue(refusal(file()).contains("behavior is \"Removed\", which is not supported"));
  }

  @Test
  void twoTokensOfOneIdAreRefused() throws IOException {
    ObjectNode json = SmallTokenizer.json();
    ((ObjectNode) json.at("/model/vocab")).put("new", 5);
    write(json.toString());
    String message = refusal(file());
    assertEquals("have the same id 5.", message.substring(message.indexOf("have the same")));
  }

  private static void change(ObjectNode json, String pointer, String value) throws IOException {
    int slash = pointer.lastIndexOf('/');
    JsonNode parent = json.at(pointer.substring(0, slash));
    String name = pointer.substring(slash + 1);
    if (parent instanceof ArrayNode array) {
      array.set(Integer.parseInt(name), new ObjectMapper().readTree(value));
    } else if (value == null) {
      ((ObjectNode) parent).remove(name);
    } else {
      ((ObjectNode) parent).set(name, new ObjectMapper().readTree(value));
    }
  }

  private Path file() {
    return folder.resolve("tokenizer.json");
  }

  private void write(String text) throws IOException {
    Files.writeString(file(), text);
  }

  private static String refusal(Path path) {
    return assertThrows(IOException.class, () -> Tokenizer.load(path)).getMessage();
  }

  @Test
  void tokensThatOnlyTheConfigurationDeclaresAreTokens() throws IOException {
    int size = SmallTokenizer.load(SmallTokenizer.json()).vocabularySize();
    write(SmallTokenizer.json().toString());
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(
        config,
        "{\"added_tokens_decoder\": {\"%d\": {\"content\": \"<|tool|>\"}}, \"pad_token\": \"<pad>\"}"
            .formatted(size));
    Tokenizer tokenizer = Tokenizer.load(folder);
    assertArrayEquals(new int[] {size, size + 1}, tokenizer.encode("<|tool|><pad>"));
    assertEquals("<|tool|>", tokenizer.decode(new int[] {size, size + 1}, true));

    Files.writeString(config, "{\"added_tokens_decoder\": {\"7\": {\"content\": \"<|tool|>\"}}}");
    assertEquals(
        "Tokenizer file %s: tokenizer_config.json declares \"<|tool|>\" with the id 7, which would be %d."
            .formatted(file(), size),
        refusal(folder));
  }

  @Test
  void aSingleWordIsFoundOnlyByItself() throws IOException {
    ObjectNode json = SmallTokenizer.json();
    ObjectNode token = json.withArray("added_tokens").get(1).deepCopy();
    int id = SmallTokenizer.load(json).vocabularySize();
    token.put("id", id).put("content", "tok").put("single_word", true);
    json.withArray("added_tokens").add(token);
    Tokenizer tokenizer = SmallTokenizer.load(json);
    for (String text : List.of("tok", "a tok.", "-tok", "tok\u00B2")) {
      assertTrue(Arrays.stream(tokenizer.encode(text)).anyMatch(i -> i == id), text);
    }
    for (String text : List.of("tok1", "_tok", "étok", "tok\u0301")) {
      assertFalse(Arrays.stream(tokenizer.encode(text)).anyMatch(i -> i == id), text);
    }
  }
}
