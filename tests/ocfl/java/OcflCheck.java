import io.ocfl.api.OcflRepository;
import io.ocfl.api.model.ObjectVersionId;
import io.ocfl.api.model.OcflObjectVersion;
import io.ocfl.api.model.OcflObjectVersionFile;
import io.ocfl.api.model.ValidationIssue;
import io.ocfl.api.model.ValidationResults;
import io.ocfl.core.OcflRepositoryBuilder;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * OcflCheck ROOT: opens a storage root with ocfl-java, which knows nothing of Versement. It validates
 * every object and reads the files of its newest version. Exit status: 0 nothing found, 1 errors or
 * warnings, 2 it could not look.
 */
public final class OcflCheck {
    private final OcflRepository repository;
    private int objects;
    private int files;
    private int findings;

    private OcflCheck(OcflRepository repository) {
        this.repository = repository;
    }

    private void report(String level, String id, String text) {
        findings++;
        System.out.println(level + " " + id + " " + text.replaceAll("\\s+", " "));
    }

    private void report(String level, String id, List<ValidationIssue> issues) {
        for (ValidationIssue issue : issues) {
            report(level, id, issue.getCode() + " " + issue.getMessage());
        }
    }

    private void validate(String id) {
        try {
            ValidationResults results = repository.validateObject(id, true);
            report("error", id, results.getErrors());
            report("warning", id, results.getWarnings());
        } catch (RuntimeException e) {
            report("error", id, e.toString());
        }
    }

    private void read(String id) {
        try {
            OcflObjectVersion head = repository.getObject(ObjectVersionId.head(id));
            for (OcflObjectVersionFile file : head.getFiles()) {
                try (var in = file.getStream()) {
                    in.transferTo(OutputStream.nullOutputStream());
                    in.checkFixity();
                    files++;
                } catch (IOException | RuntimeException e) {
                    report("error", id, file.getPath() + ": " + e);
                }
            }
        } catch (RuntimeException e) {
            report("error", id, e.toString());
        }
    }

    private int check() {
        List<String> ids;
        try (Stream<String> all = repository.listObjectIds()) {
            ids = all.sorted().collect(Collectors.toList());
        }
        for (String id : ids) {
            objects++;
            validate(id);
            read(id);
        }
        System.out.println(objects + " objects, " + files + " files, " + findings + " findings");
        return findings == 0 ? 0 : 1;
    }

    /** Neither a layout nor a version is set: both must come from the root. */
    private static int check(Path root) throws IOException {
        // An OcflRepository wants a folder to write to, even if nothing is written.
        Path work = Files.createTempDirectory("ocfl-check-");
        try {
            OcflRepository repository = new OcflRepositoryBuilder()
                    .storage(storage -> storage.fileSystem(root)).workDir(work).build();
            try {
                return new OcflCheck(repository).check();
            } finally {
                repository.close();
            }
        } finally {
            Files.delete(work);
        }
    }

    public static void main(String[] arguments) {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "warn");
        int status = 2;
        try {
            if (arguments.length != 1) {
                System.err.println("usage: OcflCheck ROOT");
            } else if (!Files.exists(Path.of(arguments[0], "ocfl_layout.json"))) {
                // Where there is no root the builder would make one.
                System.err.println("OcflCheck: " + arguments[0] + " has no ocfl_layout.json");
            } else {
                status = check(Path.of(arguments[0]));
            }
        } catch (IOException | RuntimeException e) {
            System.err.println("OcflCheck: " + e);
        }
        System.exit(status);
    }
}
