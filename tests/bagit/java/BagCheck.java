import gov.loc.repository.bagit.domain.Bag;
import gov.loc.repository.bagit.reader.BagReader;
import gov.loc.repository.bagit.verify.BagVerifier;
import java.nio.file.Paths;

/** Says of each bag what bagit-java says: "valid" or the reason why not. */
public final class BagCheck {
  private BagCheck() {}

  public static void main(final String[] bags) throws Exception {
    boolean all = true;
    for (final String bag : bags) {
      try (BagVerifier verifier = new BagVerifier()) {
        final Bag read = new BagReader().read(Paths.get(bag));
        verifier.isValid(read, false);
        System.out.println("valid " + bag);
      } catch (final Exception why) {
        System.out.println("invalid " + bag + ": " + why.getMessage());
        all = false;
      }
    }
    System.exit(all ? 0 : 1);
  }
}
