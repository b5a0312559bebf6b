package io.minimind.data;

import io.minimind.tokenizer.Encoding;
import io.minimind.tokenizer.StreamingDecoder;
import io.minimind.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Byte b is token b + 3; {@code <unk>}, {@code <s>} and {@code </s>} are 0, 1 and 2. */
public final class ByteTokenizer implements Tokenizer {
  private static final List<String> SPECIALS = List.of("<unk>", "<s>", "</s>");
  private static final Pattern PARTS = Pattern.compile("<unk>|</?s>|.", Pattern.DOTALL);

  @Override
  public int vocabularySize() {
    return 259;
  }

  @Override
  public int[] encode(String text) {
    List<Integer> ids = new ArrayList<>();
    for (Matcher part = PARTS.matcher(text); part.find(); ) {
      int special = SPECIALS.indexOf(part.group());
      if (special >= 0) {
        ids.add(special);
      } else {
        for (byte b : part.group().getBytes(StandardCharsets.UTF_8)) {
          ids.add((b & 0xff) + 3);
        }
      }
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  @Override
  public String decode(int[] ids, boolean skipSpecialTokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : ids) {
      if (id < 3) {
        bytes.writeBytes(SPECIALS.get(id).getBytes(StandardCharsets.UTF_8));
      } else {
        bytes.write(id - 3);
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public OptionalInt tokenId(String token) {
    int id = SPECIALS.indexOf(token);
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  @Override
  public StreamingDecoder streamingDecoder() {
    throw new UnsupportedOperationException();
  }

  @Override
  public int[] encodeOrdinary(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public int[] encodeWithSpecialTokens(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Encoding encodeWithOffsets(String text) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<String> token(int id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Map<String, Integer> specialTokens() {
    throw new UnsupportedOperationException();
  }
}
