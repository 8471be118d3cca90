//! The table of RPCs: the path of each, its permission, and the largest message that it accepts.
//! `permissions!` in `app/auth.rs` defines the kind of credential and the scope of a permission.
//!
//! A row is known before a byte of the body is read. A handler only gets the witness in its row:
//! [`Guarded`] maps the type of the message to the type of the witness.

use super::auth::{Access, Guarded, Open, Witness};
use crate::app::{
    Caller, Holder, Operator, ReadHistory, ReadPanelists, ReadParticipants, ReadResponses,
    ReadScreeners, ReadSessions, ReadSubmissions, ReviewSubmissions, WriteParticipants,
    WriteScreeners, WriteSessions,
};
use crate::domain::id::ID_MAX_BYTES;
use crate::domain::list::FILTER_MAX_VALUES;
use crate::pb::screener::v1;

/// The limit for calls without a credential: the name of a service or symbol.
pub(super) const OPEN_MESSAGE_MAX_BYTES: usize = 4 * 1024;
/// The limit for most messages: ids and short texts. The longest text, a review message, has 2 000
/// characters.
const SMALL_MESSAGE_MAX_BYTES: usize = 64 * 1024;
/// The limit for filters with eight lists of ids, batches of 1 000 sessions, and logos of 64 KiB.
const MEDIUM_MESSAGE_MAX_BYTES: usize = 1024 * 1024;
// Each id has a tag and a length.
const _: () = assert!(8 * FILTER_MAX_VALUES * (ID_MAX_BYTES + 3) < MEDIUM_MESSAGE_MAX_BYTES);
/// The limit for drafts, answers, and the chunks of an import. gRPC libraries accept this size by
/// default, so that no client needs a setting. Larger transfers are streams.
pub(super) const LARGE_MESSAGE_MAX_BYTES: usize = 4 * 1024 * 1024;

use self::{
    LARGE_MESSAGE_MAX_BYTES as LARGE, MEDIUM_MESSAGE_MAX_BYTES as MEDIUM,
    OPEN_MESSAGE_MAX_BYTES as OPEN, SMALL_MESSAGE_MAX_BYTES as SMALL,
};

/// The row of an RPC.
#[derive(Debug)]
pub struct Rpc {
    pub(super) service: Service,
    pub(super) method: &'static str,
    /// The qualified name, as in the path of a call.
    pub(super) name: &'static str,
    /// The callers that it admits.
    pub(super) access: Access,
    /// Whether its callers may name the version that they were written for.
    pub(super) is_versioned: bool,
    /// The largest message that it accepts.
    pub(super) message_max_bytes: usize,
}

impl Rpc {
    /// Returns whether its callers send a stream of messages.
    pub(super) fn is_client_streaming(&self) -> bool {
        matches!(self.service, Service::Reflection | Service::ReflectionAlpha)
            || self.service == Service::Admin && self.method == "Import"
    }
}

const VERSIONED: bool = true;
const PLAIN: bool = false;

macro_rules! rpcs {
    ($($name:literal as $service:ident, $is_versioned:ident {
        $($method:ident $(($message:ident))?: $witness:ty, $max:ident;)*
    })*) => {
        /// A service of any listener.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Service {
            $($service),*
        }

        impl Service {
            /// Returns the qualified name.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$service => $name),*
                }
            }

            /// Returns the rows of a service.
            const fn rpcs(self) -> &'static [Rpc] {
                match self {
                    $(Self::$service => const {
                        &[$(Rpc {
                            service: Self::$service,
                            method: stringify!($method),
                            name: concat!($name, "/", stringify!($method)),
                            access: <$witness as Witness>::ACCESS,
                            is_versioned: $is_versioned,
                            message_max_bytes: $max,
                        }),*]
                    }),*
                }
            }

            fn find(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$service),)*
                    _ => None,
                }
            }
        }

        $($($(impl Guarded for v1::$message {
            type Witness = $witness;
        })?)*)*
    };
}

/// Returns the RPC of a path.
pub(super) fn find(path: &str) -> Option<&'static Rpc> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    Service::find(service)?.rpcs().iter().find(|rpc| rpc.method == method)
}

/// The services of the public port, which reflection lists and health knows.
pub(super) const PUBLIC: &[Service] = &[
    Service::Sessions,
    Service::Responses,
    Service::Submissions,
    Service::Panelists,
    Service::PanelistSessions,
    Service::Projects,
    Service::Screeners,
    Service::Participants,
    Service::Funnels,
    Service::Looks,
    Service::Histories,
    Service::Health,
    Service::Reflection,
    Service::ReflectionAlpha,
];

/// The service of the operator's address.
pub(super) const OPERATIONS: &[Service] = &[Service::Health];

/// The services of the local socket.
pub(super) const LOCAL: &[Service] = &[Service::Admin, Service::Health];

rpcs! {
    "screener.v1.ScreenerSessionService" as Sessions, VERSIONED {
        ListScreenerSessions(ListScreenerSessionsRequest): Caller<ReadSessions>, MEDIUM;
        GetScreenerSession(GetScreenerSessionRequest): Caller<ReadSessions>, SMALL;
        RemoveScreenerSession(RemoveScreenerSessionRequest): Caller<WriteSessions>, SMALL;
        CreateScreenerSession(CreateScreenerSessionRequest): Caller<WriteSessions>, SMALL;
        BatchCreateScreenerSessions(BatchCreateScreenerSessionsRequest): Caller<WriteSessions>, MEDIUM;
        ArchiveScreenerSession(ArchiveScreenerSessionRequest): Caller<WriteSessions>, SMALL;
        RestoreScreenerSession(RestoreScreenerSessionRequest): Caller<WriteSessions>, SMALL;
    }
    "screener.v1.ScreenerResponseService" as Responses, VERSIONED {
        ListScreenerResponses(ListScreenerResponsesRequest): Caller<ReadResponses>, MEDIUM;
        ListEarlierResponses(ListEarlierResponsesRequest): Caller<ReadResponses>, MEDIUM;
        ExportScreenerResponses(ExportScreenerResponsesRequest): Caller<ReadResponses>, MEDIUM;
    }
    "screener.v1.SubmissionService" as Submissions, PLAIN {
        GetSubmission(GetSubmissionRequest): Caller<ReadSubmissions>, SMALL;
        ListSubmissions(ListSubmissionsRequest): Caller<ReadSubmissions>, MEDIUM;
        ExplainSubmission(ExplainSubmissionRequest): Caller<ReadSubmissions>, SMALL;
        RejectSubmission(RejectSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        QualifySubmission(QualifySubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        DisqualifySubmission(DisqualifySubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        InviteSubmission(InviteSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        CancelSubmissionInvite(CancelSubmissionInviteRequest): Caller<ReviewSubmissions>, SMALL;
        ScheduleSubmission(ScheduleSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        CancelSubmissionBooking(CancelSubmissionBookingRequest): Caller<ReviewSubmissions>, SMALL;
        ReinviteSubmission(ReinviteSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        CancelSubmissionBookingByParticipant(CancelSubmissionBookingByParticipantRequest): Caller<ReviewSubmissions>, SMALL;
        MarkSubmissionAttended(MarkSubmissionAttendedRequest): Caller<ReviewSubmissions>, SMALL;
        MarkSubmissionNoShow(MarkSubmissionNoShowRequest): Caller<ReviewSubmissions>, SMALL;
        MarkSubmissionPaid(MarkSubmissionPaidRequest): Caller<ReviewSubmissions>, SMALL;
        HideSubmission(HideSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        UnhideSubmission(UnhideSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        FavoriteSubmission(FavoriteSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        ReportSubmission(ReportSubmissionRequest): Caller<ReviewSubmissions>, SMALL;
        SetSubmissionVisibility(SetSubmissionVisibilityRequest): Caller<ReviewSubmissions>, SMALL;
        BatchRejectSubmissions(BatchRejectSubmissionsRequest): Caller<ReviewSubmissions>, SMALL;
        BatchQualifySubmissions(BatchQualifySubmissionsRequest): Caller<ReviewSubmissions>, SMALL;
    }
    "screener.v1.PanelistService" as Panelists, PLAIN {
        GetPanelistAccess(GetPanelistAccessRequest): Caller<ReadPanelists>, SMALL;
    }
    "screener.v1.PanelistSessionService" as PanelistSessions, PLAIN {
        GetQuestionnaire(GetQuestionnaireRequest): Holder, SMALL;
        SubmitAnswers(SubmitAnswersRequest): Holder, LARGE;
        Dismiss(DismissRequest): Holder, SMALL;
    }
    "screener.v1.ProjectService" as Projects, PLAIN {
        CreateProject(CreateProjectRequest): Caller<WriteScreeners>, SMALL;
        GetProject(GetProjectRequest): Caller<ReadScreeners>, SMALL;
        ListProjects(ListProjectsRequest): Caller<ReadScreeners>, SMALL;
        UpdateProject(UpdateProjectRequest): Caller<WriteScreeners>, SMALL;
    }
    "screener.v1.ScreenerService" as Screeners, PLAIN {
        CreateScreener(CreateScreenerRequest): Caller<WriteScreeners>, LARGE;
        GetScreener(GetScreenerRequest): Caller<ReadScreeners>, SMALL;
        ListScreeners(ListScreenersRequest): Caller<ReadScreeners>, SMALL;
        UpdateScreener(UpdateScreenerRequest): Caller<WriteScreeners>, SMALL;
        UpdateDraft(UpdateDraftRequest): Caller<WriteScreeners>, LARGE;
        DiscardDraft(DiscardDraftRequest): Caller<WriteScreeners>, SMALL;
        ValidateDraft(ValidateDraftRequest): Caller<ReadScreeners>, LARGE;
        PublishScreener(PublishScreenerRequest): Caller<WriteScreeners>, SMALL;
        CloseScreener(CloseScreenerRequest): Caller<WriteScreeners>, SMALL;
        ReopenScreener(ReopenScreenerRequest): Caller<WriteScreeners>, SMALL;
        GetPublication(GetPublicationRequest): Caller<ReadScreeners>, SMALL;
        ListPublications(ListPublicationsRequest): Caller<ReadScreeners>, SMALL;
    }
    "screener.v1.ParticipantService" as Participants, PLAIN {
        CreateParticipant(CreateParticipantRequest): Caller<WriteParticipants>, SMALL;
        GetParticipant(GetParticipantRequest): Caller<ReadParticipants>, SMALL;
        GetScreenerParticipant(GetScreenerParticipantRequest): Caller<ReadParticipants>, SMALL;
        ListParticipants(ListParticipantsRequest): Caller<ReadParticipants>, SMALL;
        UpdateParticipant(UpdateParticipantRequest): Caller<WriteParticipants>, SMALL;
        SetIdVerification(SetIdVerificationRequest): Caller<WriteParticipants>, SMALL;
    }
    "screener.v1.FunnelService" as Funnels, PLAIN {
        GetFunnel(GetFunnelRequest): Caller<ReadScreeners>, SMALL;
    }
    "screener.v1.LookService" as Looks, PLAIN {
        GetLook(GetLookRequest): Caller<ReadScreeners>, SMALL;
        SetLook(SetLookRequest): Caller<WriteScreeners>, MEDIUM;
    }
    "screener.v1.HistoryService" as Histories, PLAIN {
        ListChanges(ListChangesRequest): Caller<ReadHistory>, SMALL;
    }
    "screener.v1.AdminService" as Admin, PLAIN {
        CreateTenant: Operator, SMALL;
        SetTenantDisabled: Operator, SMALL;
        ListTenants: Operator, SMALL;
        CreateKey: Operator, SMALL;
        ListKeys: Operator, SMALL;
        RevokeKey: Operator, SMALL;
        Import: Operator, LARGE;
        Export: Operator, MEDIUM;
    }
    "grpc.health.v1.Health" as Health, PLAIN {
        Check: Open, OPEN;
        Watch: Open, OPEN;
    }
    "grpc.reflection.v1.ServerReflection" as Reflection, PLAIN {
        ServerReflectionInfo: Open, OPEN;
    }
    "grpc.reflection.v1alpha.ServerReflection" as ReflectionAlpha, PLAIN {
        ServerReflectionInfo: Open, OPEN;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost_reflect::{DescriptorPool, MethodDescriptor, ServiceDescriptor};

    use super::*;
    use crate::pb::DESCRIPTOR;

    fn path_of(method: &MethodDescriptor) -> String {
        format!("/{}/{}", method.parent_service().full_name(), method.name())
    }

    /// Returns every method of these descriptors.
    fn methods() -> Vec<MethodDescriptor> {
        let mut pool = DescriptorPool::decode(DESCRIPTOR).expect("the contract");
        for set in [
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ] {
            pool.decode_file_descriptor_set(set).expect("a descriptor set");
        }
        let services = pool.services().collect::<Vec<_>>();
        services.iter().flat_map(ServiceDescriptor::methods).collect()
    }

    #[test]
    fn every_method_has_a_row_and_every_row_a_method() {
        let services: Vec<_> = PUBLIC.iter().chain(&LOCAL[..1]).collect();
        let rows = services.iter().flat_map(|service| service.rpcs());
        let rows = rows.map(|rpc| format!("/{}/{}", rpc.service.name(), rpc.method));
        assert_eq!(rows.collect::<BTreeSet<_>>(), methods().iter().map(path_of).collect());
        for method in methods() {
            let path = path_of(&method);
            let rpc = find(&path).expect("a row");
            assert_eq!(path, format!("/{}/{}", rpc.service.name(), rpc.method));
            assert_eq!(rpc.is_client_streaming(), method.is_client_streaming(), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_of_a_row_is_none() {
        for path in [
            "/screener.v1.ScreenerSessionService/Get",
            "/screener.v1.ScreenerSessionService/GetScreenerSession/",
            "screener.v1.ScreenerSessionService/GetScreenerSession",
            "/screener.v1.ScreenerSessionService",
            "/screener.v1.Unknown/GetScreenerSession",
            "/",
            "",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn only_what_takes_drafts_answers_or_files_takes_large_messages() {
        let services = PUBLIC.iter().chain(LOCAL);
        let large = services.flat_map(|service| service.rpcs());
        let large = large.filter(|rpc| rpc.message_max_bytes >= LARGE).map(|rpc| rpc.method);
        let expected =
            ["SubmitAnswers", "CreateScreener", "UpdateDraft", "ValidateDraft", "Import"];
        assert_eq!(large.collect::<Vec<_>>(), expected);
    }
}
