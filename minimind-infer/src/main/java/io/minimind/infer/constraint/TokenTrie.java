package io.minimind.infer.constraint;

import io.minimind.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The tokens of a vocabulary by their bytes, as a tree whose nodes are numbered from 0 in the order
 * of a walk, children after their parent. Special tokens have no bytes and are left out.
 */
final class TokenTrie {
  private final byte[][] tokens;
  private volatile Tokenizer checked; // that was found to have these tokens
  private int[] labels = new int[64];
  private int[] depths = new int[64];
  private int[] ends = new int[64];
  private int[] firstTokens = new int[64];
  private final int[] roots = new int[256]; // by their label, or -1
  private int size;
  private int deepest;
  private final int[] ids; // sorted by bytes; those of a node follow each other

  private TokenTrie(byte[][] tokens) {
    this.tokens = tokens;
    List<Integer> sorted = new ArrayList<>();
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id].length > 0) {
        sorted.add(id);
      }
    }
    sorted.sort((a, b) -> Arrays.compareUnsigned(tokens[a], tokens[b]));
    ids = sorted.stream().mapToInt(Integer::intValue).toArray();
    addChildren(0, ids.length, 0);
    labels = Arrays.copyOf(labels, size);
    depths = Arrays.copyOf(depths, size);
    ends = Arrays.copyOf(ends, size);
    firstTokens = Arrays.copyOf(firstTokens, size + 1);
    firstTokens[size] = ids.length;
    Arrays.fill(roots, -1);
    for (int node = 0; node < size; node = ends[node]) {
      roots[labels[node]] = node;
    }
  }

  static TokenTrie of(Tokenizer tokenizer) {
    byte[][] tokens = new byte[tokenizer.vocabularySize()][];
    for (int id = 0; id < tokens.length; id++) {
      tokens[id] = tokenizer.bytes(id);
    }
    TokenTrie trie = new TokenTrie(tokens);
    trie.checked = tokenizer;
    return trie;
  }

  /** Whether a tokenizer has the same tokens. */
  boolean isOf(Tokenizer tokenizer) {
    if (checked == tokenizer) {
      return true;
    }
    if (tokenizer.vocabularySize() != tokens.length) {
      return false;
    }
    for (int id = 0; id < tokens.length; id++) {
      if (!Arrays.equals(tokens[id], tokenizer.bytes(id))) {
        return false;
      }
    }
    checked = tokenizer;
    return true;
  }

  /** The characters all of whose bytes are tokens. */
  CharacterSet spelt() {
    BitSet single = new BitSet();
    for (int value = 0; value < 256; value++) {
      int node = child(-1, value);
      single.set(value, node >= 0 && firstToken(node) < lastToken(node));
    }
    boolean inside = single.nextClearBit(0x80) > 0xBF;
    List<int[]> ranges = new ArrayList<>();
    for (int c = 0; c < 0x80; c++) {
      if (single.get(c)) {
        ranges.add(new int[] {c, c});
      }
    }
    for (int lead = 0xC2; lead <= 0xF4 && inside; lead++) {
      if (single.get(lead)) {
        int bits = lead < 0xE0 ? 6 : lead < 0xF0 ? 12 : 18;
        int first = (lead & (lead < 0xE0 ? 0x1F : lead < 0xF0 ? 0xF : 7)) << bits;
        int lowest = lead < 0xE0 ? 0x80 : lead < 0xF0 ? 0x800 : 0x10000;
        int last = Math.min(first + (1 << bits) - 1, Character.MAX_CODE_POINT);
        ranges.add(new int[] {Math.max(first, lowest), last});
      }
    }
    return CharacterSet.ofRanges(ranges);
  }

  /** Adds a node for each byte with which the tokens from first to end go on. */
  private void addChildren(int first, int end, int depth) {
    for (int from = first; from < end; ) {
      int label = tokens[ids[from]][depth] & 0xFF;
      int to = from + 1;
      while (to < end && (tokens[ids[to]][depth] & 0xFF) == label) {
        to++;
      }
      int node = addNode(label, depth, from);
      int longer = from;
      while (longer < to && tokens[ids[longer]].length == depth + 1) {
        longer++;
      }
      addChildren(longer, to, depth + 1);
      ends[node] = size;
      from = to;
    }
  }

  private int addNode(int label, int depth, int firstToken) {
    if (size == labels.length) {
      labels = Arrays.copyOf(labels, 2 * size);
      depths = Arrays.copyOf(depths, 2 * size);
      ends = Arrays.copyOf(ends, 2 * size);
      firstTokens = Arrays.copyOf(firstTokens, 2 * size);
    }
    labels[size] = label;
    depths[size] = depth;
    firstTokens[size] = firstToken;
    deepest = Math.max(deepest, depth);
    return size++;
  }

  int vocabularySize() {
    return tokens.length;
  }

  /** The bytes of a token; none for a special one. */
  byte[] bytes(int tokenId) {
    return tokens[tokenId];
  }

  /** Number of nodes. */
  int size() {
    return size;
  }

  /** Bytes of the longest token. */
  int longest() {
    return deepest + 1;
  }

  /** The byte that leads to a node. */
  int label(int node) {
    return labels[node];
  }

  /** Number of bytes before the one that leads to a node. */
  int depth(int node) {
    return depths[node];
  }

  /** The node after all that are below this one. */
  int end(int node) {
    return ends[node];
  }

  /** The place in {@link #token} of the first token that ends here; the next node's is behind. */
  int firstToken(int node) {
    return firstTokens[node];
  }

  /** Behind the last token that ends at a node. */
  int lastToken(int node) {
    return firstTokens[node + 1];
  }

  /** The id at a place. */
  int token(int place) {
    return ids[place];
  }

  /**
   * The node that a byte leads to, or -1.
   *
   * @param parent a node, or -1 for the beginning
   */
  int child(int parent, int label) {
    if (parent < 0) {
      return roots[label];
    }
    int end = ends[parent];
    for (int node = parent + 1; node < end; node = ends[node]) {
      if (labels[node] == label) {
        return node;
      }
    }
    return -1;
  }
}
